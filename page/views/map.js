// Map: where. A list with the answer and a map show the same; choosing in one chooses in the other.

import { getJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { byName } from "../lib/format.js";
import { makeMap, scaleBar } from "../lib/leaflet.js";
import { button, chip, none, note, segments } from "../lib/parts.js";
import { addressOf, keep } from "../lib/place.js";
import { t } from "../lib/text.js";
import { answer, layerName, layersOf, load, USE_GLYPHS } from "./map_layers.js";
import { marks } from "./map_marks.js";
import { bandWord } from "./now_air.js";

const LISTED = 300;
const MARGIN = 40; // px around the places
const BUTTONS = 30; // px more at the right, where the buttons of the map lie
const AGAIN_MS = 60000;
const SOON_MS = 3000; // a server that has just started judges its stations in the first seconds

export async function mapView(root, context) {
  const { city, query, signal } = context;
  const found = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/devices`, signal);
  const offered = layersOf(found.devices);
  if (!offered.length) return root.append(el("h1", {}, t("empty.devices")));
  const state = { devices: found.devices, layer: offered.includes(query.show) ? query.show : offered[0], at: null, chosen: query.place ?? null, data: null };
  const parts = pieces(context, offered, state);
  root.append(parts.side, parts.stage);
  root.classList.add("map-page");
  const show = async () => {
    state.data = await load(state.layer, city, state.devices, signal);
    parts.draw();
  };
  await show();
  // The map measures its box, so it is made when the view stands in the page.
  requestAnimationFrame(() => start(context, state, parts, show).catch((error) => parts.say(error.message)));
  const again = async () => {
    const newer = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/devices`, signal).catch(() => null);
    if (newer) state.devices = newer.devices;
    await show().catch(() => {});
  };
  const timers = [setInterval(again, AGAIN_MS), found.judged ? 0 : setTimeout(again, SOON_MS)];
  signal.addEventListener("abort", () => timers.forEach((timer) => clearInterval(timer)));
}

const placed = (rows) => rows.filter((row) => row.device.lat !== null && row.device.lon !== null);

async function start(context, state, parts, show) {
  const { L, map } = await makeMap(parts.box, context.signal, parts.say);
  const rows = () => placed(state.data.rows(state.at));
  const choose = (id) => parts.choose(id);
  const places = () => rows().map((row) => ({ ...row, id: row.device.id, site: row.device.site, lat: row.device.lat, lon: row.device.lon, name: `${row.device.site || row.device.id}: ${row.words}`, chosen: row.device.id === state.chosen }));
  const draw = marks(L, map, places, choose);
  const showAll = () => fit(map, rows(), state.data.areas, parts.foot);
  const areas = L.layerGroup().addTo(map);
  parts.onDraw(() => {
    areas.clearLayers();
    for (const a of state.data.areas) L.rectangle([[a.south, a.west], [a.north, a.east]], { weight: 1, fillOpacity: 0.25, interactive: false }).addTo(areas);
    draw();
  });
  parts.controls.append(zoom("+", t("map.in"), () => map.zoomIn()), zoom("−", t("map.out"), () => map.zoomOut()), zoom("⤢", t("map.all"), () => showAll()));
  parts.box.append(scaleBar(map));
  const seen = (id) => reveal(map, rows().find((r) => r.device.id === id)?.device, parts);
  const again = () => {
    showAll();
    seen(state.chosen);
  };
  again();
  keepFitted(map, again, parts, context.signal);
  draw();
  parts.onChoose((id) => {
    seen(id);
    draw();
  });
  parts.show = show;
  document.body.dataset.map = "";
  context.signal.addEventListener("abort", () => delete document.body.dataset.map);
}

/** A window of another size shows all places again, until somebody has moved the map; paper gets the size of the screen. */
function keepFitted(map, again, parts, signal) {
  const paper = matchMedia("print");
  const moved = new AbortController();
  for (const name of ["pointerdown", "wheel", "keydown"]) parts.stage.addEventListener(name, () => moved.abort(), { once: true, passive: true });
  const watching = new ResizeObserver(() => {
    if (paper.matches) return;
    for (const [name, px] of [["--map-width", parts.box.clientWidth], ["--map-height", parts.box.clientHeight]]) parts.stage.style.setProperty(name, String(px));
    map.invalidateSize({ animate: false });
    if (!moved.signal.aborted) again();
  });
  watching.observe(parts.box);
  signal.addEventListener("abort", () => watching.disconnect());
}

function zoom(words, name, press) {
  const node = button(words, press, "square");
  node.setAttribute("aria-label", name);
  return node;
}

/** Show all places, none of them under the legend: it lies at the foot of a wide map, at the head of a narrow one. */
function fit(map, rows, areas, foot) {
  const points = [...rows.map((row) => [row.device.lat, row.device.lon]), ...areas.flatMap((a) => [[a.south, a.west], [a.north, a.east]])];
  if (!points.length) return map.setView([20, 0], 3);
  const [box, legend] = [map.getContainer(), foot.getBoundingClientRect()];
  if (!legend.height) return map.fitBounds(points, { padding: [MARGIN, MARGIN], maxZoom: 15, animate: false });
  const [above, below] = [legend.bottom - box.getBoundingClientRect().top, box.getBoundingClientRect().bottom - legend.top];
  const [top, bottom] = above < below ? [above + MARGIN, MARGIN] : [MARGIN, below + MARGIN];
  const [width, height] = [box.clientWidth - 2 * MARGIN, box.clientHeight - top - bottom];
  const free = width > 80 && height > 80; // a very small map has no room beside its legend
  map.fitBounds(points, { paddingTopLeft: [MARGIN, free ? top : 8], paddingBottomRight: [MARGIN + BUTTONS, free ? bottom : 8], maxZoom: 15, animate: false });
}

/** Move the map so that a place lies beside the cards on it, where one of them hides it or it lies outside. */
function reveal(map, place, { box, foot, chosen }) {
  if (!place) return;
  const [whole, card, legend] = [box, chosen, foot].map((node) => node.getBoundingClientRect());
  const at = map.latLngToContainerPoint([place.lat, place.lon]).add([whole.left, whole.top]);
  const within = (r, margin) => at.x > r.left - margin && at.x < r.right + margin && at.y > r.top - margin && at.y < r.bottom + margin;
  if (within(whole, -MARGIN) && ![card, ...[...foot.children].map((node) => node.getBoundingClientRect())].some((r) => r.width && within(r, 20))) return;
  const below = card.width > whole.width * 0.6; // a phone: the legend above, the card below
  const x = below ? (whole.left + whole.right) / 2 : (card.right + whole.right) / 2;
  const y = below ? (Math.max(legend.bottom, whole.top) + card.top) / 2 : (whole.top + legend.top) / 2;
  map.panBy([at.x - x, at.y - y], { animate: false });
}

function pieces(context, offered, state) {
  const side = el("section", { class: "map-side", "aria-label": t("map.list") });
  const box = el("div", { class: "map-box" });
  const controls = el("div", { class: "map-controls" });
  const notes = el("div", { class: "map-notes", role: "status" });
  const chosen = el("div", { class: "map-card" });
  const foot = el("div", { class: "map-foot" });
  const calls = { draw: () => {}, choose: () => {} };
  const parts = { side, stage: el("div", { class: "map-stage" }, box, controls, notes, chosen, foot), box, controls, foot, chosen, onDraw: (call) => (calls.draw = call), onChoose: (call) => (calls.choose = call) };
  parts.say = (words) => notes.replaceChildren(words ? note("watch", words) : "");
  parts.draw = () => {
    drawSide(context, offered, state, parts);
    drawCard(context, state, chosen, parts);
    drawFoot(context, state, foot, parts);
    if (!placed(state.data.rows(state.at)).length && !state.data.areas.length) parts.say(t(state.layer === "power" ? "map.homes" : "map.no_positions"));
    else parts.say(state.data.failed ?? "");
    calls.draw();
  };
  parts.choose = (id) => {
    state.chosen = id;
    keep({ place: id });
    parts.draw();
    calls.choose(id);
    if (id) chosen.querySelector("h2")?.focus();
  };
  return parts;
}

function drawSide(context, offered, state, parts) {
  const rows = [...state.data.rows(state.at)].sort((a, b) => order(a) - order(b) || b.rank - a.rank || byName((r) => r.device.site)(a, b));
  const change = async (layer) => {
    Object.assign(state, { layer, at: null });
    keep({ show: layer, place: state.chosen });
    state.data = await load(layer, context.city, state.devices, context.signal);
    parts.draw();
    parts.side.querySelector(`[data-id="${layer}"]`)?.focus();
  };
  const scrolled = parts.side.querySelector(".places")?.scrollTop ?? 0;
  const list = el("ul", { class: "places" }, ...rows.slice(0, LISTED).map((row) => place(state, row, parts)));
  parts.side.replaceChildren(
    el("div", { class: "map-head" }, el("h1", {}, answer(state.layer, rows)), el("p", { class: "muted small" }, t(state.layer === "charging" ? "map.about_chargers" : "map.about", { n: rows.length }), rows[0]?.state === "suspect" ? `; ${t("map.not_named")}` : ""), segments(t("map.layer"), offered.map((l) => [l, layerName(l)]), state.layer, change)),
    list,
    rows.length > LISTED ? el("p", { class: "muted small map-head" }, t("map.listed", { n: LISTED, all: rows.length }), " ", el("a", { href: addressOf(context.city.id, ["devices"]) }, t("now.look.all"))) : "",
    state.data.areas.length ? el("p", { class: "muted small map-head" }, t("map.areas", { n: state.data.areas.length })) : "",
  );
  list.scrollTop = scrolled;
}

const order = (row) => (row.state === "silent" ? 1 : 0);

function place(state, row, parts) {
  const { device: d } = row;
  const press = () => parts.choose(d.id);
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "place", "aria-pressed": String(d.id === state.chosen), onclick: press },
      el("span", { class: "pill", "data-band": row.band, "data-use": row.use, "data-state": row.state }, row.text),
      el("span", {}, el("b", {}, el("bdi", {}, d.site || d.id)), el("span", { class: "muted block" }, row.words)),
      row.state === "suspect" ? chip("watch", t("map.suspect")) : null,
    ),
  );
}

function drawCard({ city, clock, status }, state, box, parts) {
  const row = state.data.rows(state.at).find((r) => r.device.id === state.chosen);
  if (!row) return box.replaceChildren();
  const { device: d } = row;
  const strip = row.history ? el("div", { class: "strip", "aria-hidden": "true" }, ...row.history.slice(-24).map((band) => el("i", { "data-band": band }))) : "";
  box.replaceChildren(
    el(
      "section",
      { class: "card" },
      el("header", {}, el("h2", { tabindex: "-1" }, el("bdi", {}, d.site || d.id)), closing(parts)),
      el("p", { class: "muted small" }, `${t(`kind_of.${d.kind}`)} · ${d.id}`),
      row.use ? el("p", { class: "word" }, row.words) : el("p", { class: "value" }, row.text, el("small", {}, ` ${row.unit} · ${row.words}`)),
      strip,
      d.state === "ok" ? "" : el("p", { class: "small" }, d.heard ? t("map.silent_since", { at: clock.near(d.heard, status.now()) }) : t("devices.never")),
      el("a", { href: addressOf(city.id, ["d", d.id], state.layer === "charging" ? {} : { quantity: state.layer }) }, t("map.open")),
    ),
  );
}

function closing(parts) {
  const node = button("✕", () => parts.choose(null), "square");
  node.setAttribute("aria-label", t("close"));
  return node;
}

function drawFoot({ clock }, state, box, parts) {
  const legend = el("div", { class: "card map-legend" }, ...legendOf(state));
  const { hours } = state.data;
  if (!hours) return box.replaceChildren(legend);
  const n = hours.values[0]?.length ?? 0;
  const time = (i) => (i === n - 1 ? t("now.word") : clock.time(Date.parse(hours.start) + i * 3600000));
  const out = el("output", {}, state.at === null ? t("now.word") : time(state.at));
  const slide = el("input", { type: "range", min: 0, max: Math.max(n - 1, 0), value: state.at ?? n - 1, "aria-label": t("map.hour"), "aria-valuetext": out.textContent });
  slide.addEventListener("input", () => {
    state.at = Number(slide.value) === n - 1 ? null : Number(slide.value);
    parts.draw();
    box.querySelector("input")?.focus();
  });
  box.replaceChildren(legend, el("div", { class: "card map-time" }, el("p", { class: "row between small" }, el("b", {}, t("map.last24")), out), slide));
}

function legendOf({ layer, data }) {
  if (layer === "charging") return [el("p", { class: "legend" }, ...["free", "charging", "plugged", "fault", "unknown"].map((use) => el("span", {}, el("i", { class: "mark small-mark", "data-square": true, "data-use": use, "data-state": use === "unknown" ? "silent" : null }, USE_GLYPHS[use]), t(`use.${use}`))))];
  if (layer === "power") return [el("p", { class: "small" }, t("map.power_about")), data.notShown ? none(t("map.not_shown", { n: data.notShown })) : ""];
  const bands = [1, 2, 3, 4, 5, 6].map((b) => el("li", { "data-band": b }, el("i", {}), el("span", {}, bandWord(b))));
  return [el("p", { class: "small" }, el("b", {}, t("map.legend", { layer: layerName(layer) }))), el("ol", { class: "bands" }, ...bands), el("p", { class: "muted small" }, t("map.signs"))];
}
