// The frame of every view: the bar with the views, language, light or dark, the city; the foot.

import { byId, el, svg } from "../lib/dom.js";
import { byName } from "../lib/format.js";
import { addressOf, go } from "../lib/place.js";
import { chooseLanguage, language, LANGUAGES, t } from "../lib/text.js";
import { switchTheme } from "../lib/theme.js";

const VIEWS = ["now", "map", "indicators", "devices", "compare", "plan", "report", "admin"];
const LEVELS = { now: [], map: ["map"], indicators: ["indicators"], devices: ["devices"], plan: ["plan"], report: ["report"] };
const FIRST = 4; // of the views stand in the bar of a phone; the others are under "More"

/** The address of a view of a city. */
function addressOfView(view, city) {
  if (view === "compare" || view === "admin") return city ? `/${view}?city=${encodeURIComponent(city)}` : `/${view}`;
  return city ? addressOf(city, LEVELS[view]) : "/";
}

/** Draw bar and foot. `again`: draws the view again, after a change of language. */
export function frame({ view, city, cities }, again) {
  byId("skip").textContent = t("frame.skip");
  const link = (name, i) => el("a", { href: addressOfView(name, city), class: i >= FIRST ? "rest" : null, "aria-current": name === view ? "page" : null }, t(`view.${name}`));
  const more = el("button", { type: "button", class: "more-button", popovertarget: "more", "aria-current": VIEWS.indexOf(view) >= FIRST ? "page" : null }, t("frame.more"));
  byId("top").replaceChildren(
    el(
      "div",
      { class: "top-in" },
      el("a", { class: "brand", href: city ? addressOf(city) : "/" }, mark(), el("span", {}, "CityVitals")),
      el("nav", { class: "views", "aria-label": t("frame.views") }, ...VIEWS.map(link), more),
      el("div", { class: "tools" }, el("span", { id: "state", class: "wide" }), languages(again), theme(), cityChooser(cities, city)),
    ),
    el("nav", { class: "more", id: "more", popover: "auto", "aria-label": t("frame.more_views") }, ...VIEWS.slice(FIRST).map(link), el("div", { class: "row" }, languages(again), theme())),
  );
  for (const shown of byId("more").querySelectorAll("a")) shown.classList.remove("rest");
  byId("foot").replaceChildren(
    el("p", {}, t("foot.values")),
    el("p", {}, el("a", { href: "/v1/catalogue" }, t("foot.catalogue")), " · ", el("a", { href: "/openapi.json" }, t("foot.api"))),
    el("p", { class: "print-only" }, location.href),
  );
}

function mark() {
  const line = { fill: "none", stroke: "#fff", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg(
    "svg",
    { viewBox: "0 0 28 28", width: 28, height: 28, "aria-hidden": "true" },
    svg("rect", { width: 28, height: 28, rx: 7, fill: "#0a6770" }),
    svg("path", { d: "M4 15h4.5l2.5-7 4.5 13 3-9 1.5 3h4", ...line }),
  );
}

function languages(again) {
  const choose = async (event) => {
    await chooseLanguage(event.target.value);
    again();
  };
  const options = Object.entries(LANGUAGES).map(([id, name]) => el("option", { value: id, selected: id === language(), lang: id }, name));
  return el("select", { class: "pick", "aria-label": t("frame.language"), onchange: choose }, ...options);
}

function theme() {
  const circle = svg(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("circle", { cx: 8, cy: 8, r: 6.5, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
    svg("path", { d: "M8 1.5a6.5 6.5 0 0 1 0 13z", fill: "currentColor" }),
  );
  return el("button", { type: "button", class: "icon", "aria-label": t("frame.theme"), onclick: switchTheme }, circle);
}

/** The city chooser keeps the view and the period. */
function cityChooser(cities, city) {
  if (cities.length < 2) return el("span", { class: "city-name" }, cities[0]?.name ?? "");
  const choose = (event) => {
    const id = encodeURIComponent(event.target.value);
    const path = location.pathname.startsWith("/c/") ? location.pathname.replace(/^\/c\/[^/]+/, `/c/${id}`) : `/c/${id}`;
    go(path + (location.pathname.includes("/d/") ? "" : location.search));
  };
  const sorted = [...cities].sort(byName((c) => c.name));
  return el("select", { class: "pick", "aria-label": t("frame.city"), onchange: choose }, ...sorted.map((c) => el("option", { value: c.id, selected: c.id === city }, c.name)));
}
