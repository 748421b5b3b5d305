// The map library, loaded when a map is shown first, and a ground that needs no tiles: meridians, parallels, a scale.

import { el } from "./dom.js";
import { number } from "./format.js";
import { settings, t } from "./text.js";
import { colour } from "./theme.js";

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const LABEL = 62; // px of a degree at the right edge
const loaded = { module: null };
// What Leaflet writes as markup to find out what the browser can: fixed texts. Everything else stays forbidden.
const PROBES = ["<svg/>", '<v:shape adj="1"/>', ""];

/** Leaflet. Its file sets a global; this is the only place that reads it. */
export async function library() {
  if (!loaded.module) {
    document.head.append(el("link", { rel: "stylesheet", href: settings.files["leaflet.css"] }));
    globalThis.trustedTypes?.createPolicy("default", { createHTML: (text) => (PROBES.includes(text) ? text : null) });
    loaded.module = import(settings.files["leaflet.js"]);
  }
  await loaded.module;
  return globalThis.leaflet;
}

/** A map in `box`, with the configured tiles where there are any; `say(words)` is called when they cannot be loaded. */
export async function makeMap(box, signal, say) {
  const L = await library();
  const map = L.map(box, { zoomControl: false, attributionControl: false, preferCanvas: true, zoomSnap: 0.5, minZoom: 3, maxZoom: 19, fadeAnimation: false, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  signal.addEventListener("abort", () => map.remove());
  const shapes = settings.files["ground.json"] ? await fetch(settings.files["ground.json"]).then((answer) => (answer.ok ? answer.json() : null), () => null) : null;
  ground(map, box, shapes ? planOf(shapes) : []);
  if (settings.tiles?.url) {
    const tiles = L.tileLayer(settings.tiles.url, { maxZoom: 19, minNativeZoom: settings.tiles.min_zoom, maxNativeZoom: settings.tiles.max_zoom, crossOrigin: false }).addTo(map);
    tiles.once("tileerror", () => say(t("map.no_tiles")));
    if (settings.tiles.attribution) box.append(el("p", { class: "attribution" }, settings.tiles.attribution));
  }
  return { L, map };
}

// In this order, the first one lowest: token of the colour, and the width of a line in pixels at a middle zoom.
const KINDS = { water: ["--map-water", 0], built: ["--map-built", 0], green: ["--map-green", 0], river: ["--map-water", 5], road: ["--map-road", 3] };

/** The shapes of a GeoJSON file that the ground has, by kind: [{kind, rings: [[[lon, lat], ...], ...]}]. */
function planOf({ features }) {
  const rings = ({ type, coordinates }) => ({ Polygon: coordinates, MultiPolygon: coordinates.flat(), LineString: [coordinates], MultiLineString: coordinates })[type] ?? [];
  const known = (features ?? []).filter((f) => f.geometry && Object.hasOwn(KINDS, f.properties?.kind ?? ""));
  const order = Object.keys(KINDS);
  return known.map((f) => ({ kind: f.properties.kind, rings: rings(f.geometry) })).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function shape(map, pen, { kind, rings }, colours) {
  pen.beginPath();
  for (const ring of rings) {
    for (const [i, [lon, lat]] of ring.entries()) {
      const { x, y } = map.latLngToContainerPoint([lat, lon]);
      if (i) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    }
  }
  const [, width] = KINDS[kind];
  if (!width) {
    pen.fillStyle = colours[kind];
    return pen.fill("evenodd");
  }
  Object.assign(pen, { strokeStyle: colours[kind], lineWidth: width * 2 ** Math.min(1.5, Math.max(-1.5, map.getZoom() - 13)), lineCap: "round", lineJoin: "round" });
  pen.stroke();
}

/** The city's shapes, meridians and parallels with their degrees, on a canvas under everything else. */
function ground(map, box, shapes) {
  const canvas = el("canvas", { class: "ground", "aria-hidden": "true" });
  box.prepend(canvas);
  const colours = { line: "", text: "" };
  const dye = () => Object.assign(colours, { line: colour("--line"), text: colour("--muted") }, Object.fromEntries(Object.entries(KINDS).map(([kind, [token]]) => [kind, colour(token)])));
  const draw = () => {
    const { x: width, y: height } = map.getSize();
    const sharp = devicePixelRatio;
    if (canvas.width !== width * sharp || canvas.height !== height * sharp) Object.assign(canvas, { width: width * sharp, height: height * sharp });
    const pen = canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const one of shapes) shape(map, pen, one, colours);
    Object.assign(pen, { strokeStyle: colours.line, lineWidth: 1 });
    pen.fillStyle = colours.text;
    pen.font = "11px system-ui, sans-serif";
    lines(map, pen, width, height);
  };
  dye();
  map.on("move zoom viewreset resize", draw);
  addEventListener("themechange", () => (dye(), draw()));
}

function lines(map, pen, width, height) {
  const bounds = map.getBounds();
  const step = STEPS.find((s) => (s / Math.max(bounds.getEast() - bounds.getWest(), 1e-9)) * width > 110) ?? 20;
  for (let lon = Math.ceil(bounds.getWest() / step) * step; lon < bounds.getEast(); lon += step) {
    const { x } = map.latLngToContainerPoint([bounds.getCenter().lat, lon]);
    stroke(pen, x, 0, x, height);
    if (x < width - 2 * LABEL) pen.fillText(degrees(lon, "E", "W"), x + 4, 14);
  }
  for (let lat = Math.ceil(bounds.getSouth() / step) * step; lat < bounds.getNorth(); lat += step) {
    const { y } = map.latLngToContainerPoint([lat, bounds.getCenter().lng]);
    stroke(pen, 0, y, width, y);
    if (y > 34) pen.fillText(degrees(lat, "N", "S"), width - LABEL, y - 4);
  }
}

function stroke(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  pen.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  pen.stroke();
}

const degrees = (value, plus, minus) => `${number(Math.abs(value), Math.abs(value) % 1 ? 3 : 0)}° ${value < 0 ? minus : plus}`;

/** A scale bar that follows the map. */
export function scaleBar(map) {
  const node = el("p", { class: "scale-bar", "aria-hidden": "true" });
  const draw = () => {
    const y = map.getSize().y / 2;
    const metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
    const size = 10 ** Math.floor(Math.log10(metres));
    const length = [5, 2, 1].map((f) => f * size).find((l) => l <= metres) ?? size;
    node.style.setProperty("--width", `${(length / metres) * 100}px`);
    node.textContent = length >= 1000 ? `${number(length / 1000)} km` : `${number(length)} m`;
  };
  map.on("zoomend moveend", draw);
  return node;
}
