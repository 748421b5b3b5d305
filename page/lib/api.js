// Requests to the server: JSON and files by fetch, changes by a stream of events.
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
  constructor(message, status, instance) {
    super(message);
    this.status = status;
    this.instance = instance;
  }
}

function request(path, options = {}) {
  const token = sessionStorage.getItem(KEPT);
  const headers = { ...options.headers, ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
  return new Request(path, { ...options, headers });
}

async function send(asked) {
  const answer = await fetch(asked);
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  const path = new URL(asked.url).pathname;
  throw new HttpError(body.detail || `${path} answered ${answer.status}.`, answer.status, path);
}

const PAUSES_MS = [500, 1000, 2000, 4000];

/** What `read` makes of the answer; again after a pause where the network fails, as when a laptop changes to another. */
async function ask(path, accept, read, signal) {
  for (let failed = 0; ; failed += 1) {
    try {
      return await read(await send(request(path, { headers: { Accept: accept }, signal })));
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
export async function getJson(path, signal) {
  return ask(path, "application/json", (answer) => answer.json(), signal);
}

/** The file at `path`, which a link could not fetch where a token is needed. */
export async function getFile(path) {
  return ask(path, "*/*", (answer) => answer.blob());
}

/** Send JSON and return the answer's. Not tried again: it changes something. */
export async function sendJson(method, path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const answer = await send(request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
  return answer.status === 204 ? null : answer.json();
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;

/**
 * Follow a city from change number `last` on. `on` has snapshot(data), kpis(data), alive(data), lost() and denied();
 * `signal` ends it.
 *
 * Not an EventSource, which can send no token and gives up for good on an answer like 503.
 */
export async function follow(city, last, on, signal) {
  const path = `/v1/live?city=${encodeURIComponent(city)}`;
  let wait = FIRST_RETRY_MS;
  let id = last;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", ...(id === null ? {} : { "Last-Event-ID": String(id) }) };
      const answer = await send(request(path, { headers, signal }));
      for await (const event of events(answer.body)) {
        wait = FIRST_RETRY_MS;
        id = event.id ?? id;
        on[event.name]?.(JSON.parse(event.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403) return on.denied();
    }
    if (signal.aborted) return;
    on.lost();
    await pause(wait);
    wait = Math.min(wait * 2, LONGEST_RETRY_MS);
  }
}
