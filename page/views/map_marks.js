// Marks on the map: one for each place, or for several that would meet; as elements for few, on the canvas for many.

import { el } from "../lib/dom.js";
import { t } from "../lib/text.js";
import { colour } from "../lib/theme.js";

const MEET = 36; // px within which places are one mark
const AS_ELEMENTS = 300;

/** Keep the marks of `places()` on the map: [{id, lat, lon, text, tone, square, state, name}]. Returns `draw()`. */
export function marks(L, map, places, choose) {
  const layer = L.layerGroup().addTo(map);
  const draw = () => {
    const found = clustered(map, places());
    layer.clearLayers();
    const few = found.length <= AS_ELEMENTS;
    for (const mark of found) (few ? element(L, mark, () => pick(map, mark, choose)) : dot(L, mark, () => pick(map, mark, choose))).addTo(layer);
    map.getContainer().dataset.marks = String(found.length);
  };
  map.on("zoomend moveend", draw);
  return draw;
}

/** Places within the window and a margin, joined on a grid of the screen; each mark knows whom it stands for. */
function clustered(map, places) {
  const bounds = map.getBounds().pad(0.2);
  const zoom = map.getZoom();
  const cells = new Map();
  for (const place of places) {
    if (!bounds.contains([place.lat, place.lon])) continue;
    const point = map.project([place.lat, place.lon], zoom);
    const key = `${Math.round(point.x / MEET)}|${Math.round(point.y / MEET)}`;
    const cell = cells.get(key);
    if (cell) cell.push(place);
    else cells.set(key, [place]);
  }
  return [...cells.values()].map((members) => ({ ...worst(members), members }));
}

/** The mark of several places shows the chosen one, else the one that matters most. */
const worst = (members) => members.find((m) => m.chosen) ?? members.reduce((a, b) => ((b.rank ?? -1) > (a.rank ?? -1) ? b : a));

function pick(map, mark, choose) {
  if (mark.members.length === 1 || map.getZoom() >= 18) return choose(mark.id);
  map.fitBounds(mark.members.map((m) => [m.lat, m.lon]), { padding: [60, 60], maxZoom: 18 });
}

function element(L, mark, press) {
  const several = mark.members.length > 1;
  const name = several ? t("map.several", { n: mark.members.length, name: mark.name }) : mark.name;
  const face = el("span", { class: "mark", "data-band": mark.band, "data-square": mark.square, "data-state": mark.state, "data-chosen": String(Boolean(mark.chosen)), "data-use": mark.use }, mark.text, several ? el("b", {}, String(mark.members.length)) : mark.state === "suspect" ? el("b", {}, "!") : null);
  const icon = L.divIcon({ html: face, className: "mark-box", iconSize: [34, 34] });
  const marker = L.marker([mark.lat, mark.lon], { icon, alt: name, title: name, riseOnHover: true });
  marker.on("click", press);
  marker.on("add", () => marker.getElement().setAttribute("aria-label", name));
  return marker;
}

function dot(L, mark, press) {
  const colours = { fill: mark.band ? colour(`--air-${mark.band}`) : colour("--seq-4"), line: colour("--ink") };
  return L.circleMarker([mark.lat, mark.lon], { radius: mark.members.length > 1 ? 9 : 6, weight: 1, color: colours.line, fillColor: colours.fill, fillOpacity: 1 }).on("click", press);
}
