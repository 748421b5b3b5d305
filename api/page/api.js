// The two ways to the server: JSON by fetch, changes by server-sent events.

/** The JSON at `path`. Throws an Error whose message is the server's own sentence. */
export async function getJson(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail || `${path} answered ${answer.status}.`);
  return body;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;

/**
 * Follow a city. `on` has snapshot(data), kpis(data), alive(data) and lost().
 *
 * A browser gives up on an event source that was refused (the store away: 503), so that case is tried again here.
 */
export function follow(city, on) {
  let wait = FIRST_RETRY_MS;
  const open = () => {
    const source = new EventSource(`/v1/live?city=${encodeURIComponent(city)}`);
    for (const name of ["snapshot", "kpis", "alive"]) {
      source.addEventListener(name, (event) => {
        wait = FIRST_RETRY_MS;
        on[name](JSON.parse(event.data));
      });
    }
    source.addEventListener("error", () => {
      on.lost();
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, LONGEST_RETRY_MS);
    });
  };
  open();
}
