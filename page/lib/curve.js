// A long curve on a canvas, by uPlot, under the same rules: gaps stay gaps, the readout shows the value, arrows move.

import { el, setText } from "./dom.js";
import { number } from "./format.js";
import { settings } from "./text.js";
import { colour } from "./theme.js";

const HEIGHT = 260;

/** The figure; it loads the library when it is needed first. `time`: {start (ms), step (s), timezone}. */
export async function curve(options, { start, step, timezone }) {
  const { default: UPlot } = await library();
  const box = el("div", { class: "plot canvas", role: "img", tabindex: "0", "aria-label": options.name });
  const readout = el("figcaption", { class: "readout", role: "status" });
  const state = { plot: null, at: null };
  const n = options.series[0].values.length;
  const columns = [Array.from({ length: n }, (_, i) => start / 1000 + i * step), ...options.series.map((s) => s.values)];
  const draw = () => {
    state.plot?.destroy();
    if (box.clientWidth) state.plot = new UPlot(setup(UPlot, options, box, timezone, (i) => say(readout, options, i)), columns, box);
  };
  new ResizeObserver(() => (state.plot ? state.plot.setSize({ width: box.clientWidth, height: HEIGHT }) : draw())).observe(box);
  addEventListener("themechange", draw);
  box.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 }[event.key];
    if (!move || !state.plot) return;
    event.preventDefault();
    state.at = Math.min(n - 1, Math.max(0, (state.at ?? n) + move));
    state.plot.setCursor({ left: state.plot.valToPos(columns[0][state.at], "x"), top: 10 });
  });
  return el("figure", { class: "chart" }, el("p", { class: "unit-line" }, options.unit), box, readout);
}

const say = (readout, options, i) => setText(readout, i === null || i === undefined ? "" : options.words(i));
const loaded = { module: null };

function library() {
  if (!loaded.module) {
    document.head.append(el("link", { rel: "stylesheet", href: settings.files["uplot.css"] }));
    loaded.module = import(settings.files["uplot.js"]);
  }
  return loaded.module;
}

function setup(UPlot, options, box, timezone, read) {
  const axis = { stroke: colour("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false } },
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), timezone),
    axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 52, values: (_, ticks) => ticks.map((v) => number(v, Number.isInteger(v) ? 0 : null)) }],
    series: [{}, ...options.series.map((s) => ({ stroke: colour(s.ghost ? "--ghost" : "--cat-1"), width: s.ghost ? 1 : 1.5, spanGaps: false, points: { show: false } }))],
    hooks: { setCursor: [(plot) => read(plot.cursor.idx)] },
  };
}
