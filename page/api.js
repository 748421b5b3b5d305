// Requests to the server: JSON and pictures by fetch, changes by a stream of events.
//
// A token is sent in the Authorization header only: not in a URL, which is logged and shared, and
// not in a cookie, which other pages could make the browser send. It is kept for this tab until the tab is closed.

import { events } from "./events.js";

const KEPT = "cityvitals-token";

/** Whether a token has been given. */
export const hasToken = () => sessionStorage.getItem(KEPT) !== null;

/** Use this token from now on; an empty one: none. */
export function useToken(token) {
  if (token) sessionStorage.setItem(KEPT, token);
  else sessionStorage.removeItem(KEPT);
}

/** An answer with an error; `status` is its HTTP status, the message the server's sentence. */
export class HttpError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

function request(path, headers) {
  const token = sessionStorage.getItem(KEPT);
  return new Request(path, { headers: token === null ? headers : { ...headers, Authorization: `Bearer ${token}` } });
}

async function send(asked) {
  const answer = await fetch(asked);
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new HttpError(body.detail || `${new URL(asked.url).pathname} answered ${answer.status}.`, answer.status);
}

const PAUSES_MS = [500, 1000, 2000, 4000];

/** What `read` makes of the answer; again after a pause where the network fails, as when a laptop changes to another. */
async function ask(path, accept, read) {
  const asked = request(path, { Accept: accept });
  for (let failed = 0; ; failed += 1) {
    try {
      return await read(await send(asked));
    } catch (error) {
      // fetch throws a TypeError when there was no answer, or only a part of it.
      if (!(error instanceof TypeError) || failed === PAUSES_MS.length) throw error;
    }
    await pause(PAUSES_MS[failed]);
  }
}

/** About so long, and not at the same time for everybody. */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())));

/** The JSON at `path`. Throws an Error whose message is the server's own sentence. */
export async function getJson(path) {
  return ask(path, "application/json", (answer) => answer.json());
}

/** The SVG at `path` as an address that an image can show: an image cannot send a token. */
export async function getPicture(path) {
  return `data:image/svg+xml,${encodeURIComponent(await ask(path, "image/svg+xml", (answer) => answer.text()))}`;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;

/**
 * Follow a city. `on` has snapshot(data), kpis(data), alive(data), lost() and denied().
 *
 * Not an EventSource, which can send no token and gives up for good on an answer like 503.
 */
export async function follow(city, on) {
  const path = `/v1/live?city=${encodeURIComponent(city)}`;
  let wait = FIRST_RETRY_MS;
  let last = null;
  for (;;) {
    try {
      const headers = { Accept: "text/event-stream" };
      const answer = await send(request(path, last === null ? headers : { ...headers, "Last-Event-ID": last }));
      for await (const event of events(answer.body)) {
        wait = FIRST_RETRY_MS;
        last = event.id ?? last;
        on[event.name]?.(JSON.parse(event.data));
      }
    } catch (error) {
      if (error.status === 401 || error.status === 403) return on.denied();
    }
    on.lost();
    await pause(wait);
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
  }
}
