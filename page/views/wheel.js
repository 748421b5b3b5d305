// The wheel of the 91 indicators: sub-dimensions inside, blocks in the middle, one cell for each indicator outside.
//
// Tall with a dot: from sensors; shorter: reported; a stub: no figure. One tab stop; arrows move inside it.

import { el, svg } from "../lib/dom.js";
import { t } from "../lib/text.js";

const SIZE = 600;
const C = SIZE / 2;
const R = { hub: 98, inner: 122, middle: 150, reported: 182, derived: 198, missing: 164, dot: 205, text: 213 };
const GAP = 0.012;

/** The wheel. `kpis`: [{code, name, sub, block, points, origin, dim}]; `open(code)`; `hub(kpi)`: the text of the hub. */
export function wheel(kpis, open, hub) {
  const groups = grouped(kpis);
  const step = (2 * Math.PI - groups.length * GAP * 4) / kpis.length;
  const text = el("div", { class: "hub", "aria-live": "polite" });
  const root = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "wheel", role: "application", tabindex: "0", "aria-label": t("wheel.name"), "aria-roledescription": t("wheel.role") });
  const cells = [];
  let angle = -Math.PI / 2;
  for (const group of groups) {
    const start = angle;
    for (const block of group.blocks) {
      const from = angle;
      for (const kpi of block.kpis) {
        cells.push({ kpi, group, node: cell(kpi, angle, angle + step, open) });
        angle += step;
      }
      root.append(ring(R.inner, R.middle, from, angle, { class: "block", "data-points": worst(block.kpis) }, block.name), label(block.name, (from + angle) / 2));
    }
    root.append(ring(R.hub, R.inner, start, angle, { class: "sub" }, t(`sub.${group.name}`)), ...subName(t(`sub.${group.name}`), start, angle));
    angle += GAP * 4;
  }
  root.append(...cells.map((c) => c.node));
  const show = (c) => text.replaceChildren(...hub(c?.kpi ?? null));
  listen(root, cells, groups, show, open);
  show(null);
  return el("div", { class: "wheel-box" }, root, text);
}

function grouped(kpis) {
  const groups = [];
  for (const kpi of kpis) {
    let group = groups.find((g) => g.name === kpi.sub);
    if (!group) groups.push((group = { name: kpi.sub, blocks: [] }));
    let block = group.blocks.find((b) => b.name === kpi.block);
    if (!block) group.blocks.push((block = { name: kpi.block, kpis: [] }));
    block.kpis.push(kpi);
  }
  return groups;
}

/** The band of a block: the mean of its scored indicators. */
function worst(kpis) {
  const known = kpis.map((k) => k.points).filter((p) => p > 0);
  if (known.length) return String(Math.round(known.reduce((a, b) => a + b, 0) / known.length));
  return kpis.some((k) => k.points === 0) ? "0" : "none";
}

const point = (r, a) => `${(C + r * Math.cos(a)).toFixed(2)} ${(C + r * Math.sin(a)).toFixed(2)}`;

function ring(inner, outer, from, to, attributes, title) {
  const [a, b] = [from + GAP / 2, to - GAP / 2];
  const large = b - a > Math.PI ? 1 : 0;
  const d = `M${point(inner, a)}L${point(outer, a)}A${outer} ${outer} 0 ${large} 1 ${point(outer, b)}L${point(inner, b)}A${inner} ${inner} 0 ${large} 0 ${point(inner, a)}Z`;
  return svg("path", { d, ...attributes }, svg("title", {}, title));
}

function cell(kpi, from, to, open) {
  const outer = R[kpi.origin] ?? R.missing;
  const middle = (from + to) / 2;
  const shape = ring(R.middle + 3, outer, from, to, { class: "cell", "data-points": kpi.points === null ? "none" : String(kpi.points), "data-origin": kpi.origin }, kpi.name);
  const dot = kpi.origin === "derived" ? svg("circle", { class: "cell-dot", cx: C + R.dot * Math.cos(middle), cy: C + R.dot * Math.sin(middle), r: 3 }) : null;
  return svg("g", { class: kpi.dim ? "cell-group dim" : "cell-group", onclick: () => open(kpi.code) }, shape, dot);
}

/** As much of a name as fits into this many px, and whether in small letters: all of it, its first words, else letters. */
function fitting(name, px) {
  const words = name.split(", ");
  const candidates = words.map((_, i) => words.slice(0, words.length - i).join(", "));
  const found = candidates.find((text) => text.length * 5.6 <= px);
  if (found) return [found, false];
  const small = candidates.find((text) => text.length * 4.6 <= px);
  return [small ?? `${name.slice(0, Math.max(2, Math.floor(px / 4.6) - 1))}…`, true];
}

/** The name of a sub-dimension along its arc, where it fits; below the middle it runs the other way, to be read. */
function subName(name, from, to) {
  const below = Math.sin((from + to) / 2) > 0.25;
  const r = below ? R.hub + 15 : R.hub + 8;
  const [short, small] = fitting(name, (to - from) * r);
  const id = `arc-${(counter.next += 1)}`;
  const [a, b, sweep] = below ? [to, from, 0] : [from, to, 1];
  const arc = svg("path", { id, class: "arc", d: `M${point(r, a)}A${r} ${r} 0 ${to - from > Math.PI ? 1 : 0} ${sweep} ${point(r, b)}` });
  return [arc, svg("text", { class: small ? "sub-name small-name" : "sub-name", "aria-hidden": "true" }, svg("textPath", { href: `#${id}`, startOffset: "50%" }, short))];
}
const counter = { next: 0 };

function label(name, angle) {
  const left = Math.cos(angle) < 0;
  const turn = (angle * 180) / Math.PI + (left ? 180 : 0);
  const place = { x: left ? -R.text : R.text, y: 4, "text-anchor": left ? "end" : "start" };
  return svg("g", { class: "block-name", transform: `translate(${C} ${C}) rotate(${turn.toFixed(1)})` }, svg("text", place, name.length > 20 ? `${name.slice(0, 19)}…` : name));
}

function listen(root, cells, groups, show, open) {
  let at = -1;
  const mark = (i) => {
    cells[at]?.node.removeAttribute("data-at");
    at = i;
    cells[at]?.node.setAttribute("data-at", "");
    show(cells[at] ?? null);
  };
  const jump = (direction) => {
    const now = at < 0 ? groups[0] : cells[at].group;
    const next = groups[(groups.indexOf(now) + direction + groups.length) % groups.length];
    return cells.findIndex((c) => c.group === next);
  };
  const n = cells.length;
  const keys = {
    ArrowRight: () => mark((at + 1) % n), ArrowLeft: () => mark((at - 1 + n) % n), ArrowDown: () => mark(at < 0 ? 0 : jump(1)), ArrowUp: () => mark(jump(-1)),
    Home: () => mark(0), End: () => mark(n - 1), Enter: () => at >= 0 && open(cells[at].kpi.code), Escape: () => mark(-1),
  };
  root.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  for (const [i, c] of cells.entries()) c.node.addEventListener("pointerenter", () => mark(i));
  root.addEventListener("pointerleave", () => mark(-1));
}
