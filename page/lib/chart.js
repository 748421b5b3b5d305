// Charts as SVG up to some thousand points: lines, bars, gaps that are hatched, limits that are named.
//
// Every chart is a picture with a sentence as its name; arrow keys read its points; the values are a table beside it.

import { el, setText, svg } from "./dom.js";
import { number } from "./format.js";
import { t } from "./text.js";

const HEIGHT = 220;
const PAD = { left: 44, right: 14, top: 22, bottom: 26 };
const LETTER = 6.6; // px of a letter of the axis, on average
const counter = { next: 0 };

/** Round steps of an axis from 0 (or below, for negative values) to at least `high`. */
export function ticks(low, high, wanted = 4) {
  const span = Math.max(high - low, 1e-9);
  const raw = span / wanted;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * size).find((s) => s >= raw);
  const found = [];
  for (let value = Math.floor(low / step) * step; value < high + step * 0.999; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/**
 * A chart. `series`: [{name, values (null: none), kind: line|bars|band, tone, dashed, low, high}]; `x`: {ticks: [[index, text]]};
 * `limits`: [{value, text}]; `marks`: [{index, text}]; `words(index)`: what is read out; `name`: the sentence.
 */
export function chart(options) {
  const node = el("figure", { class: "chart" });
  const readout = el("figcaption", { class: "readout", role: "status" });
  const box = el("div", { class: "plot", role: "img", tabindex: "0", "aria-label": options.name });
  const unit = el("p", { class: "unit-line" }, options.unit);
  node.append(unit, box, readout);
  const state = { width: 0, at: null };
  const draw = () => {
    state.width = Math.max(box.clientWidth || options.width || 560, 240);
    box.replaceChildren(picture(options, state.width, state.at));
  };
  const read = (index) => {
    state.at = index;
    setText(readout, index === null ? "" : options.words(index));
    draw();
  };
  listen(box, options, state, read);
  box.addEventListener("paper", (event) => box.replaceChildren(picture(options, event.detail || state.width, null)));
  new ResizeObserver(() => Math.abs(box.clientWidth - state.width) > 1 && draw()).observe(box);
  draw();
  node.svg = () => standalone(options);
  return node;
}

// Before a page is printed, its charts are drawn in the width of the paper.
const paper = (width) => document.querySelectorAll(".chart .plot").forEach((box) => box.dispatchEvent(new CustomEvent("paper", { detail: width(box) })));
addEventListener("beforeprint", () => paper((box) => (box.closest(".view-now") ? 430 : 640)));
addEventListener("afterprint", () => paper(() => 0));

function listen(box, options, state, read) {
  const n = length(options);
  box.addEventListener("pointermove", (event) => {
    const rect = box.getBoundingClientRect();
    const share = (event.clientX - rect.left - PAD.left) / (rect.width - PAD.left - room(options));
    if (share >= -0.02 && share <= 1.02) read(Math.min(n - 1, Math.max(0, Math.floor(share * n))));
  });
  box.addEventListener("pointerleave", () => read(null));
  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const from = state.at ?? (step > 0 ? -1 : n);
    read(Math.min(n - 1, Math.max(0, step === -Infinity ? 0 : step === Infinity ? n - 1 : from + step)));
  });
}

const length = (options) => Math.max(...options.series.map((s) => s.values.length));

function picture(options, width, at) {
  const height = options.height ?? HEIGHT;
  const all = options.series.flatMap((s) => [...s.values, ...(s.low ?? []), ...(s.high ?? [])]).filter((v) => v !== null && v !== undefined);
  const limits = (options.limits ?? []).map((l) => l.value);
  const steps = ticks(Math.min(0, ...all), Math.max(...all, ...limits, all.some((v) => v !== 0) ? 0 : 1));
  const scale = scales(options, width, height, steps);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
  root.append(...grid(steps, scale), ...xTicks(options, scale), ...gaps(options, scale));
  root.append(...options.series.flatMap((s) => drawn(s, scale)), ...limitLines(options, scale), ...ends(options, scale));
  root.append(...(options.marks ?? []).map((m) => diamond(m, options, scale)));
  if (at !== null) root.append(...pointer(options, scale, at));
  return root;
}

/** The room right of the last point, px: for the names of lines and limits, where there are any. */
function room(options) {
  const names = [...(options.limits ?? []).map((l) => l.text), ...options.series.filter((s) => s.kind !== "bars").map((s) => s.label)].filter(Boolean);
  return names.length ? Math.min(140, Math.max(...names.map((name) => name.length)) * LETTER + 18) : PAD.right;
}

function scales(options, width, height, steps) {
  const n = length(options);
  const [low, high] = [steps[0], steps.at(-1)];
  const right = width - room(options);
  const inner = right - PAD.left;
  return {
    n, width, height, left: PAD.left, right, top: PAD.top, bottom: height - PAD.bottom, slot: inner / n,
    x: (i) => PAD.left + ((i + 0.5) / n) * inner,
    y: (v) => height - PAD.bottom - ((v - low) / (high - low)) * (height - PAD.bottom - PAD.top),
  };
}

function grid(steps, s) {
  return steps.flatMap((v) => [
    svg("line", { class: v === 0 ? "axis" : "grid-line", x1: s.left, x2: s.right, y1: s.y(v), y2: s.y(v) }),
    svg("text", { x: s.left - 8, y: s.y(v) + 4, "text-anchor": "end" }, number(v, Number.isInteger(v) ? 0 : null)),
  ]);
}

function xTicks(options, s) {
  const widest = Math.max(0, ...options.x.ticks.map(([, text]) => String(text).length)) * LETTER + 10;
  const fits = Math.max(1, Math.floor((s.right - s.left) / widest));
  const every = Math.max(1, Math.ceil(options.x.ticks.length / fits));
  return options.x.ticks.filter((_, k) => k % every === 0).map(([i, text]) => svg("text", { x: s.x(i), y: s.height - 6, "text-anchor": "middle" }, text));
}

/** Runs of points without any value: hatched, never bridged. */
function gaps(options, s) {
  if (options.noGaps) return [];
  const hatch = `hatch-${(counter.next += 1)}`;
  const missing = (i) => options.series.filter((q) => !q.ghost).every((q) => (q.values[i] ?? null) === null);
  const found = [];
  const last = options.until ?? s.n;
  for (let i = 0; i < last; i += 1) {
    if (!missing(i)) continue;
    let end = i;
    while (end + 1 < last && missing(end + 1)) end += 1;
    found.push(svg("rect", { class: "gap", fill: `url(#${hatch})`, x: s.x(i) - s.slot / 2, width: s.slot * (end - i + 1), y: s.top, height: s.bottom - s.top }, svg("title", {}, t("chart.gap"))));
    i = end;
  }
  if (found.length) found.unshift(svg("pattern", { id: hatch, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("line", { class: "hatch", x1: 1, x2: 1, y1: 0, y2: 7 })));
  return found;
}

function drawn(series, s) {
  if (series.kind === "bars") return bars(series, s);
  const parts = series.kind === "band" ? [band(series, s)] : [];
  if (series.area) parts.push(svg("path", { class: "area", d: area(series.values, s), "data-tone": series.tone }));
  return [...parts, svg("path", { class: "line", d: line(series.values, s), "data-tone": series.tone, "data-ghost": series.ghost ?? null, "data-dashed": series.dashed ?? null }), ...lonely(series, s)];
}

function line(values, s) {
  let pen = false;
  return values.map((v, i) => {
    if (v === null || v === undefined) return ((pen = false), "");
    const step = `${pen ? "L" : "M"}${s.x(i).toFixed(1)} ${s.y(v).toFixed(1)}`;
    pen = true;
    return step;
  }).join("");
}

/** A value between two gaps is a line of no length: a dot. */
function lonely(series, s) {
  const has = (i) => (series.values[i] ?? null) !== null;
  return series.values.flatMap((v, i) => (has(i) && !has(i - 1) && !has(i + 1) ? [svg("circle", { class: "dot", cx: s.x(i), cy: s.y(v), r: 3, "data-tone": series.tone })] : []));
}

function area(values, s) {
  const known = values.map((v, i) => [v, i]).filter(([v]) => v !== null && v !== undefined);
  if (!known.length) return "";
  const top = known.map(([v, i]) => `${s.x(i).toFixed(1)} ${s.y(v).toFixed(1)}`).join("L");
  return `M${s.x(known[0][1])} ${s.bottom}L${top}L${s.x(known.at(-1)[1])} ${s.bottom}Z`;
}

/** The area from `low` to `high`, in pieces where values are missing between. */
function band(series, s) {
  const at = (values, i) => `${s.x(i).toFixed(1)} ${s.y(values[i]).toFixed(1)}`;
  const pieces = [];
  for (const [i, v] of series.high.entries()) {
    if (v === null) continue;
    if (i && series.high[i - 1] !== null) pieces.at(-1).push(i);
    else pieces.push([i]);
  }
  const d = pieces.map((piece) => `M${[...piece.map((i) => at(series.high, i)), ...[...piece].reverse().map((i) => at(series.low, i))].join("L")}Z`).join("");
  return svg("path", { class: "band", d, "data-tone": series.tone });
}

function bars(series, s) {
  const width = Math.max(1, Math.min(s.slot * 0.7, 34));
  return series.values.flatMap((v, i) => {
    if (v === null || v === undefined) return [];
    const [top, foot] = [Math.min(s.y(v), s.y(0)), Math.max(s.y(v), s.y(0))];
    return [svg("rect", { class: "bar", x: s.x(i) - width / 2, width, y: top, height: Math.max(foot - top, 0.5), "data-tone": series.tone, "data-soft": series.soft?.includes(i) ? "" : null })];
  });
}

function limitLines(options, s) {
  return (options.limits ?? []).flatMap(({ value, text }) => [
    svg("line", { class: "limit", x1: s.left, x2: s.right, y1: s.y(value), y2: s.y(value) }),
    svg("text", { class: "limit-text", x: s.right + 6, y: s.y(value) + 4 }, text),
  ]);
}

/** Lines are named at their right end, in their own colour; names that would meet are moved apart. */
function ends(options, s) {
  const named = options.series.filter((q) => q.kind !== "bars" && q.label).map((q) => {
    const i = q.values.findLastIndex((v) => v !== null && v !== undefined);
    return i < 0 ? null : { q, i, y: s.y(q.values[i]) };
  }).filter(Boolean).sort((a, b) => a.y - b.y);
  for (const [k, e] of named.entries()) if (k && e.y - named[k - 1].y < 15) e.y = named[k - 1].y + 15;
  return named.flatMap(({ q, i, y }) => [
    q.ghost ? null : svg("circle", { class: "dot", cx: s.x(i), cy: s.y(q.values[i]), r: 3.5, "data-tone": q.tone }),
    svg("text", { class: "end", x: Math.min(s.x(i), s.right) + 8, y: y + 4, "data-tone": q.tone, "data-ghost": q.ghost ?? null }, q.label),
  ].filter(Boolean));
}

function diamond(mark, options, s) {
  const value = options.series[0].values[mark.index];
  const [x, y] = [s.x(mark.index), s.y(value ?? 0)];
  return svg("path", { class: "diamond", d: `M${x} ${y - 6}l6 6-6 6-6-6z` }, svg("title", {}, mark.text));
}

function pointer(options, s, at) {
  const dots = options.series.filter((q) => (q.values[at] ?? null) !== null && q.kind !== "bars");
  return [
    svg("line", { class: "cursor", x1: s.x(at), x2: s.x(at), y1: s.top, y2: s.bottom }),
    ...dots.map((q) => svg("circle", { class: "dot", cx: s.x(at), cy: s.y(q.values[at]), r: 4, "data-tone": q.tone })),
  ];
}

/** The picture as text that stands alone: with its colours in it, for a file. */
function standalone(options) {
  const holder = el("div", { class: "plot offscreen" });
  document.body.append(holder);
  const made = picture(options, 860, null);
  holder.append(made);
  for (const node of made.querySelectorAll("*")) {
    const style = getComputedStyle(node);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-family", "font-weight", "opacity", "fill-opacity"]) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none 0s ease 0s") node.setAttribute(name, value);
    }
    node.removeAttribute("class");
  }
  made.prepend(svg("title", {}, options.name), svg("rect", { width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor }));
  made.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  made.removeAttribute("aria-hidden");
  id(made);
  holder.remove();
  return new XMLSerializer().serializeToString(made);
}

const id = (node) => node.setAttribute("id", `chart-${(counter.next += 1)}`);

/** About six of the labels of a row of points. */
export function someTicks(n, text, most = 6) {
  const step = Math.max(1, Math.ceil(n / most));
  return Array.from({ length: Math.ceil(n / step) }, (_, k) => [k * step, text(k * step)]);
}
