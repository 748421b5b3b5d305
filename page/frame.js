// What all views but the first share: the bar with its links, the city in the address, and what a failure looks like.

import { getJson } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { askForToken } from "./entry.js";

const VIEWS = [
  ["", "Now"],
  ["indicators", "Indicators"],
  ["devices", "Devices and map"],
];

/** The levels of the address: /c/{city}/{view}/{...rest}. */
export function place() {
  const [, , city, view, ...rest] = location.pathname.split("/").map(decodeURIComponent);
  return { city, view, rest };
}

/** The address of a view of a city. */
export function addressOf(city, ...levels) {
  const path = levels.filter((level) => level !== "").map(encodeURIComponent);
  return path.length ? `/c/${encodeURIComponent(city)}/${path.join("/")}` : `/?city=${encodeURIComponent(city)}`;
}

/** Fill the bar: a link for each view, the current one marked. */
export function links(city, current) {
  const nav = byId("views");
  nav.replaceChildren(
    ...VIEWS.map(([id, name]) =>
      el("a", { href: addressOf(city, id), "aria-current": id === current ? "page" : false }, name),
    ),
  );
}

/** Run a view: its `draw(detail)` gets the city. A city that does not exist and a token that is needed are shown. */
export async function view(current, draw) {
  const { city } = place();
  links(city, current);
  try {
    const detail = await getJson(`/v1/cities/${encodeURIComponent(city)}`);
    document.title = `${detail.name} · CityVitals`;
    setText(byId("city-name"), detail.name);
    await draw(detail);
    byId("empty").hidden = true;
    document.body.dataset.ready = "";
  } catch (error) {
    fail(error);
  }
}

/** Show the server's sentence in the place of the content. */
export function fail(error) {
  if (error.status === 401 || error.status === 403) return askForToken(error.message);
  byId("empty").hidden = false;
  setText(byId("empty"), error.message);
  document.body.dataset.ready = "";
}
