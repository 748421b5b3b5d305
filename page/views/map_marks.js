// Marks on the map: one for each place, or for several that would meet; as elements for few, on the canvas for many.

import { el } from "../lib/dom.js";
import { t } from "../lib/text.js";
import { colour } from "../lib/theme.js";

const MEET = 36; // px within which places are one mark
const AS_ELEMENTS = 300;
const NAMED = 60; // marks at most that have their name beside them
const LETTER = 6.4; // px of a letter of a name, on average

/** Keep the marks of `places()` on the map: [{id, lat, lon, text, tone, square, state, name}]. Returns `draw()`. */
export function marks(L, map, places, choose) {
  const layer = L.layerGroup().addTo(map);
  const draw = () => {
    const found = clustered(map, places());
    layer.clearLayers();
    const few = found.length <= AS_ELEMENTS;
    const named = found.length <= NAMED ? withName(map, found) : new Set();
    for (const mark of found) (few ? element(L, mark, named.has(mark), () => pick(map, mark, choose)) : dot(L, mark, () => pick(map, mark, choose))).addTo(layer);
    map.getContainer().dataset.marks = String(found.length);
  };
  map.on("zoomend moveend", draw);
  return draw;
}

/** Places within the window and a margin, joined on a grid of the screen; each mark lists the places it stands for. */
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

/** The marks whose name below them meets no other mark and no other name; the chosen and the highest come first. */
function withName(map, found) {
  const boxOf = ({ x, y }, half, above, below) => ({ left: x - half, right: x + half, top: y - above, bottom: y + below });
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const at = new Map(found.map((mark) => [mark, map.latLngToContainerPoint([mark.lat, mark.lon])]));
  const taken = [...at].map(([mark, point]) => [mark, boxOf(point, 17, 17, 17)]);
  const named = new Set();
  for (const mark of [...found].sort((a, b) => Number(b.chosen) - Number(a.chosen) || (b.rank ?? -1) - (a.rank ?? -1))) {
    if (mark.members.length > 1 || !mark.site) continue;
    const box = boxOf(at.get(mark), (mark.site.length * LETTER) / 2 + 5, -18, 37);
    if (taken.some(([other, b]) => other !== mark && meet(box, b))) continue;
    taken.push([null, box]);
    named.add(mark);
  }
  return named;
}

/** The mark of several places shows the chosen one, else the one that matters most. */
const worst = (members) => members.find((m) => m.chosen) ?? members.reduce((a, b) => ((b.rank ?? -1) > (a.rank ?? -1) ? b : a));

function pick(map, mark, choose) {
  if (mark.members.length === 1 || map.getZoom() >= 18) return choose(mark.id);
  map.fitBounds(mark.members.map((m) => [m.lat, m.lon]), { padding: [60, 60], maxZoom: 18 });
}

function element(L, mark, named, press) {
  const several = mark.members.length > 1;
  const name = several ? t("map.several", { n: mark.members.length, name: mark.name }) : mark.name;
  const face = el("span", { class: "mark", "data-band": mark.band, "data-square": mark.square, "data-state": mark.state, "data-chosen": String(Boolean(mark.chosen)), "data-use": mark.use }, mark.text, several ? el("b", {}, String(mark.members.length)) : mark.state === "suspect" ? el("b", {}, "!") : null, named ? el("bdi", { class: "mark-name" }, mark.site) : null);
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
