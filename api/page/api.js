// The ways to the server: JSON and pictures by fetch, changes by a stream of events.
//
// A token goes into the Authorization header and nowhere else: not into an address, which is logged and shared, and
// not into a cookie, which other pages could make the browser send. It is kept for this tab until the tab is closed.

import { events } from "./events.js";

const KEPT = "cityvitals-token";

/** Whether a token has been given. */
export const hasToken = () => sessionStorage.getItem(KEPT) !== null;

/** Use this token from now on; an empty one: none. */
export function useToken(token) {
  if (token) sessionStorage.setItem(KEPT, token);
  else sessionStorage.removeItem(KEPT);
}

/** An answer that is no success; `status` is its HTTP status, the message the server's own sentence. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, headers) {
  const token = sessionStorage.getItem(KEPT);
  const answer = await fetch(path, { headers: token === null ? headers : { ...headers, Authorization: `Bearer ${token}` } });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refused(body.detail || `${path} answered ${answer.status}.`, answer.status);
}

/** The JSON at `path`. Throws an Error whose message is the server's own sentence. */
export async function getJson(path) {
  return (await ask(path, { Accept: "application/json" })).json();
}

/** The SVG at `path` as an address that an image can show: an image cannot send a token. */
export async function getPicture(path) {
  return `data:image/svg+xml,${encodeURIComponent(await (await ask(path, { Accept: "image/svg+xml" })).text())}`;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;

/**
 * Follow a city. `on` has snapshot(data), kpis(data), alive(data), lost() and refused().
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
      const answer = await ask(path, last === null ? headers : { ...headers, "Last-Event-ID": last });
      for await (const event of events(answer.body)) {
        wait = FIRST_RETRY_MS;
        last = event.id ?? last;
        on[event.name]?.(JSON.parse(event.data));
      }
    } catch (error) {
      if (error.status === 401 || error.status === 403) return on.refused();
    }
    on.lost();
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
  }
}
