// Addresses of the views, and moving between them without loading the page again.

const listeners = { moved: null };

/** The address of a view of a city: /c/{city}/{...levels}?{query}. */
export function addressOf(city, levels = [], query = {}) {
  const path = levels.filter((level) => level !== "" && level !== null).map((level) => encodeURIComponent(level).replaceAll("%3A", ":"));
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return `/c/${encodeURIComponent(city)}${path.length ? `/${path.join("/")}` : ""}${search.size ? `?${search}` : ""}`;
}

/** Where the address is now: its path and its parameters. */
export function here() {
  return { path: location.pathname, query: Object.fromEntries(new URLSearchParams(location.search)) };
}

/** Put parameters into the address without leaving the view; an empty one is taken out. */
export function keep(changes) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(null, "", address);
}

/** Go to an address of the page. */
export function go(address) {
  history.pushState(null, "", address);
  listeners.moved?.();
}

/** Call `moved` whenever the address becomes another: by a link of the page, by Back, or by `go`. */
export function onMove(moved) {
  listeners.moved = moved;
  addEventListener("popstate", () => moved());
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !isOurs(event, link)) return;
    event.preventDefault();
    go(link.href);
  });
}

function isOurs(event, link) {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const inside = link.origin === location.origin && /^\/($|c\/|compare$|admin$)/.test(link.pathname);
  const samePage = link.hash && link.pathname === location.pathname;
  return plain && inside && !samePage && !link.hasAttribute("download") && link.target === "";
}
