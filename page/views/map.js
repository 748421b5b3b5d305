// Map: where. A list with the answer and a map say the same; choosing in one chooses in the other.

import { getJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { byName } from "../lib/format.js";
import { makeMap, scaleBar } from "../lib/leaflet.js";
import { button, chip, none, note, segments } from "../lib/parts.js";
import { addressOf, keep } from "../lib/place.js";
import { t } from "../lib/text.js";
import { answer, layerName, layersOf, load } from "./map_layers.js";
import { marks } from "./map_marks.js";
import { bandWord } from "./now_air.js";

const LISTED = 300;
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
  const places = () => rows().map((row) => ({ ...row, id: row.device.id, lat: row.device.lat, lon: row.device.lon, name: `${row.device.site || row.device.id}: ${row.words}`, chosen: row.device.id === state.chosen }));
  const draw = marks(L, map, places, choose);
  const areas = L.layerGroup().addTo(map);
  parts.onDraw(() => {
    areas.clearLayers();
    for (const a of state.data.areas) L.rectangle([[a.south, a.west], [a.north, a.east]], { weight: 1, fillOpacity: 0.25, interactive: false }).addTo(areas);
    draw();
  });
  parts.controls.append(zoom("+", t("map.in"), () => map.zoomIn()), zoom("−", t("map.out"), () => map.zoomOut()), zoom("⤢", t("map.all"), () => fit(L, map, rows(), state.data.areas)));
  parts.box.append(scaleBar(map));
  fit(L, map, rows(), state.data.areas);
  draw();
  parts.onChoose((id) => {
    const row = rows().find((r) => r.device.id === id);
    if (row && !map.getBounds().pad(-0.1).contains([row.device.lat, row.device.lon])) map.panTo([row.device.lat, row.device.lon]);
    draw();
  });
  parts.show = show;
  document.body.dataset.map = "";
  context.signal.addEventListener("abort", () => delete document.body.dataset.map);
}

function zoom(words, name, press) {
  const node = button(words, press, "square");
  node.setAttribute("aria-label", name);
  return node;
}

function fit(L, map, rows, areas) {
  const points = [...rows.map((row) => [row.device.lat, row.device.lon]), ...areas.flatMap((a) => [[a.south, a.west], [a.north, a.east]])];
  if (points.length) map.fitBounds(points, { padding: [50, 50], maxZoom: 15 });
  else map.setView([20, 0], 3);
}

function pieces(context, offered, state) {
  const side = el("section", { class: "map-side", "aria-label": t("map.list") });
  const box = el("div", { class: "map-box" });
  const controls = el("div", { class: "map-controls" });
  const notes = el("div", { class: "map-notes", role: "status" });
  const chosen = el("div", { class: "map-card" });
  const foot = el("div", { class: "map-foot" });
  const calls = { draw: () => {}, choose: () => {} };
  const parts = { side, stage: el("div", { class: "map-stage" }, box, controls, notes, chosen, foot), box, controls, onDraw: (call) => (calls.draw = call), onChoose: (call) => (calls.choose = call) };
  parts.say = (words) => notes.replaceChildren(words ? note("watch", words) : "");
  parts.draw = () => {
    drawSide(context, offered, state, parts);
    drawCard(context, state, chosen, parts);
    drawFoot(context, state, foot, parts);
    if (!placed(state.data.rows(state.at)).length && !state.data.areas.length) parts.say(t(state.layer === "power" ? "map.homes" : "map.no_positions"));
    else parts.say("");
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
    el("div", { class: "map-head" }, el("h1", {}, answer(state.layer, rows)), el("p", { class: "muted small" }, t("map.about", { n: rows.length })), segments(t("map.layer"), offered.map((l) => [l, layerName(l)]), state.layer, change)),
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
      el("span", { class: "pill", "data-band": row.band, "data-use": row.use, "data-state": row.state }, row.text || "✓"),
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
  if (layer === "charging") return [el("p", { class: "legend" }, ...["free", "charging", "plugged", "fault", "unknown"].map((use) => el("span", {}, el("i", { class: "mark small-mark", "data-square": true, "data-use": use }), t(`use.${use}`))))];
  if (layer === "power") return [el("p", { class: "small" }, t("map.power_about")), data.notShown ? none(t("map.not_shown", { n: data.notShown })) : ""];
  const bands = [1, 2, 3, 4, 5, 6].map((b) => el("li", { "data-band": b }, el("i", {}), el("span", {}, bandWord(b))));
  return [el("p", { class: "small" }, el("b", {}, t("map.legend", { layer: layerName(layer) }))), el("ol", { class: "bands" }, ...bands), el("p", { class: "muted small" }, t("map.signs"))];
}
