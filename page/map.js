// A map without tiles: the devices where they stand, on a graticule with a scale bar. No request leaves the server.

import { el, svg } from "./dom.js";

const SIZE = { width: 720, height: 520 };
const MARGIN = 48;
const KM_PER_DEGREE = 111.195;
const STEPS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const SQUARE = ["ev_charger", "electricity_meter", "water_meter", "heat_meter"];

/** Devices with a position as an SVG map; `choose(id)` is called for the one that is picked. */
export function map(devices, choose, nameOf) {
  const placed = devices.filter((d) => d.lat !== null && d.lon !== null);
  if (!placed.length) return el("p", { class: "muted" }, "No device has a position; add lat and lon to the city file.");
  const project = projection(placed);
  const root = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "map", role: "group", "aria-label": "Map of the devices" });
  root.append(graticule(project), scale(project));
  for (const device of placed) root.append(marker(device, project, choose, nameOf));
  return root;
}

/** Longitudes are shortened by the cosine of the middle latitude, so that a kilometre is as long both ways. */
function projection(placed) {
  const lats = placed.map((d) => d.lat);
  const lons = placed.map((d) => d.lon);
  const [south, north, west, east] = [Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)];
  const middle = { lat: (south + north) / 2, lon: (west + east) / 2 };
  const squeeze = Math.cos((middle.lat * Math.PI) / 180);
  const least = 0.01; // one device alone still has about a kilometre around it
  const across = Math.max((east - west) * squeeze, least);
  const up = Math.max(north - south, least);
  const perDegree = Math.min((SIZE.width - 2 * MARGIN) / across, (SIZE.height - 2 * MARGIN) / up);
  return {
    x: (lon) => SIZE.width / 2 + (lon - middle.lon) * squeeze * perDegree,
    y: (lat) => SIZE.height / 2 - (lat - middle.lat) * perDegree,
    lon: (x) => middle.lon + (x - SIZE.width / 2) / squeeze / perDegree,
    lat: (y) => middle.lat - (y - SIZE.height / 2) / perDegree,
    perDegree,
  };
}

function graticule(p) {
  const group = svg("g", { class: "graticule", "aria-hidden": "true" });
  const step = STEPS.find((s) => s * p.perDegree > 90) ?? 10;
  const first = (low) => Math.ceil(low / step) * step;
  for (let lon = first(p.lon(0)); lon <= p.lon(SIZE.width); lon += step) {
    const x = p.x(lon);
    group.append(svg("line", { x1: x, x2: x, y1: 0, y2: SIZE.height }), svg("text", { x: x + 4, y: SIZE.height - 6 }, degrees(lon, "E", "W")));
  }
  for (let lat = first(p.lat(SIZE.height)); lat <= p.lat(0); lat += step) {
    const y = p.y(lat);
    group.append(svg("line", { x1: 0, x2: SIZE.width, y1: y, y2: y }), svg("text", { x: 4, y: y - 4 }, degrees(lat, "N", "S")));
  }
  return group;
}

const degrees = (value, plus, minus) => `${Number(Math.abs(value).toFixed(3))}° ${value < 0 ? minus : plus}`;

function scale(p) {
  const lengths = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
  const km = lengths.findLast((l) => (l / KM_PER_DEGREE) * p.perDegree < 160) ?? 0.1;
  const length = (km / KM_PER_DEGREE) * p.perDegree;
  const x = SIZE.width - length - 20;
  return svg(
    "g",
    { class: "scale", "aria-hidden": "true" },
    svg("path", { d: `M${x} 20v6h${length}v-6` }),
    svg("text", { x: x + length / 2, y: 16, "text-anchor": "middle" }, km < 1 ? `${km * 1000} m` : `${km} km`),
  );
}

function marker(device, p, choose, nameOf) {
  const [x, y] = [p.x(device.lon), p.y(device.lat)];
  const shape = SQUARE.includes(device.kind)
    ? svg("rect", { x: x - 8, y: y - 8, width: 16, height: 16, rx: 3 })
    : svg("circle", { cx: x, cy: y, r: 9 });
  const node = svg("g", { class: "marker", "data-state": device.state, "data-id": device.id, tabindex: "0", role: "button", "aria-label": nameOf(device) });
  node.append(svg("title", {}, nameOf(device)), shape);
  node.addEventListener("click", () => choose(device.id));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(device.id);
  });
  return node;
}
