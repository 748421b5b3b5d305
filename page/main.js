// The page: finds the view of the address, draws frame and view, and shows the error where something fails.

import { entry } from "./frame/entry.js";
import { frame } from "./frame/frame.js";
import { Status } from "./frame/status.js";
import { follow, getJson } from "./lib/api.js";
import { byId, el } from "./lib/dom.js";
import { clockOf } from "./lib/format.js";
import { bones } from "./lib/parts.js";
import { here, onMove } from "./lib/place.js";
import { loadTexts, t } from "./lib/text.js";
import { applyTheme } from "./lib/theme.js";
import { admin } from "./views/admin.js";
import { compare } from "./views/compare.js";
import { device } from "./views/device.js";
import { devices } from "./views/devices.js";
import { indicator } from "./views/indicator.js";
import { indicators } from "./views/indicators.js";
import { mapView } from "./views/map.js";
import { now } from "./views/now.js";
import { plan } from "./views/plan.js";
import { report } from "./views/report.js";

// Path below /c/{city}, the view's name in the bar, and what draws it.
const CITY_VIEWS = [
  [/^$/, "now", now],
  [/^map$/, "map", mapView],
  [/^devices$/, "devices", devices],
  [/^d\/([^/]+)$/, "devices", device],
  [/^indicators$/, "indicators", indicators],
  [/^plan$/, "plan", plan],
  [/^report(?:\/([^/]+)(?:\/([^/]+))?)?$/, "report", report],
  [/^k\/([^/]+)(?:\/([^/]+))?$/, "indicators", indicator],
];
const ALONE = { compare: ["compare", compare], admin: ["admin", admin] };
const LOOK_MS = 60000;

const state = { left: new AbortController(), cities: null, details: new Map(), status: null, clock: null };

async function show() {
  state.left.abort();
  state.left = new AbortController();
  state.status?.stop();
  delete document.body.dataset.ready;
  byId("notes").replaceChildren();
  const { signal } = state.left;
  const main = byId("main");
  const waiting = setTimeout(() => main.replaceChildren(el("h1", { class: "muted" }, t("loading")), bones(6)), 200);
  try {
    await draw(main, signal, () => clearTimeout(waiting));
  } catch (error) {
    if (signal.aborted) return;
    failed(main, error);
  } finally {
    clearTimeout(waiting);
  }
  if (!signal.aborted) document.body.dataset.ready = "";
}

async function draw(main, signal, drawn) {
  const { path, query } = here();
  const [, wantedCity, rest = ""] = path.match(/^\/(?:c|embed)\/([^/]+)\/?(.*)$/) ?? [];
  document.body.classList.toggle("embedded", path.startsWith("/embed/"));
  const alone = ALONE[path.slice(1)];
  const city = wantedCity === undefined ? query.city : decodeURIComponent(wantedCity);
  state.cities = await served(city, signal);
  const id = city ?? state.cities[0]?.id;
  const [name, view, levels] = alone ? [...alone, []] : viewOf(rest, path);
  frame({ view: name, city: id, cities: state.cities }, show);
  if (id === undefined) throw new Error(t("empty.store"));
  const detail = await getJson(`/v1/cities/${encodeURIComponent(id)}?devices=false`, signal);
  state.clock = clockOf(detail.timezone);
  state.status = new Status(state.clock);
  state.status.city(detail);
  const watchers = [];
  watch(id, detail, state.status, watchers, signal);
  document.title = `${detail.name} · CityVitals`;
  const root = el("div", { class: `view view-${name}` });
  await view(root, { city: detail, cities: state.cities, clock: state.clock, status: state.status, levels, query, signal, onChange: (call) => watchers.push(call) });
  if (signal.aborted) return;
  drawn();
  main.replaceChildren(root);
}

/** Follow the city's changes for the frame's state, and for a view that follows them. */
function watch(id, detail, status, watchers, signal) {
  const changed = (data) => {
    // Figures that people report do not change by themselves: only where there are readings is their age of interest.
    if (data.updated && detail.data_until !== null) status.values({ at: data.updated, updated: data.updated });
    for (const call of watchers) call(data);
  };
  follow(id, detail.change, {
    snapshot: changed,
    kpis: changed,
    alive: (data) => status.alive(data),
    lost: () => status.lost(),
    denied: () => location.reload(), // the token is no longer valid: the page asks for another
  }, signal);
  const path = `/v1/cities/${encodeURIComponent(id)}?devices=false`;
  const look = setInterval(() => getJson(path, signal).then((found) => status.city(found), () => {}), LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(look));
}

function viewOf(rest, path) {
  const within = path.startsWith("/embed/") ? `k/${rest}` : rest;
  for (const [pattern, name, view] of CITY_VIEWS) {
    const found = within.match(pattern);
    if (found) return [name, view, found.slice(1).map((level) => decodeURIComponent(level ?? ""))];
  }
  throw new Error(t("unknown.view", { path }));
}

/** The cities this token reaches. One for a single city does not list them: then the address names it. */
async function served(wanted, signal) {
  if (state.cities) return state.cities;
  return getJson("/v1/cities", signal).catch(async (error) => {
    if (error.status !== 403 || !wanted) throw error;
    return [await getJson(`/v1/cities/${encodeURIComponent(wanted)}?devices=false`, signal)];
  });
}

/** What the user sees in the place of a view that cannot be drawn. */
function failed(main, error) {
  const heading = el("h1", {}, error.status === 401 || error.status === 403 ? t("error.denied") : error.message);
  main.replaceChildren(heading);
  if (error.status === 401 || error.status === 403) return main.append(entry(error.message));
  if (error.status === undefined || error.status >= 500) {
    main.append(el("p", { class: "muted" }, t("error.again"), " ", el("a", { href: location.href }, t("error.now"))));
    const timer = setTimeout(show, 15000);
    state.left.signal.addEventListener("abort", () => clearTimeout(timer));
  }
  if (error.instance) main.append(el("p", { class: "code" }, error.instance));
  if (state.cities?.length) main.append(el("p", {}, ...state.cities.slice(0, 12).flatMap((c) => [el("a", { href: `/c/${encodeURIComponent(c.id)}` }, c.name), " "])));
}

async function start() {
  applyTheme();
  await loadTexts();
  onMove(() => {
    scrollTo(0, 0);
    show().then(() => byId("main").focus({ preventScroll: true }));
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  await show();
}

start();
