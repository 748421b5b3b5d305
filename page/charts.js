// A chart of a series over time, drawn by uPlot (global `uPlot`), with the hovered value and all values in words.

import { el, setText } from "./dom.js";
import { number, percent, STATUS, unitText } from "./format.js";

const HALF_DAY = 43200; // seconds, so that the first and the last bar are whole
const charts = new Set();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.draw()));

/** A chart: `show(points, {unit, limit, limitText})`; put `node` in the page first, it takes its width from there. */
export class Chart {
  #plot = null;
  #points = [];
  #options = {};

  constructor(clock, style, label) {
    this.clock = clock;
    this.style = style;
    this.box = el("div", { class: "plot", role: "img", "aria-label": label });
    this.readout = el("p", { class: "readout" });
    this.table = el(
      "details",
      { class: "as-table" },
      el("summary", {}, "Values as a table", el("span", { class: "unseen" }, `: ${label}`)),
    );
    this.table.addEventListener("toggle", () => this.#fillTable());
    this.node = el("div", { class: "chart" }, this.readout, this.box, this.table);
    new ResizeObserver(() => this.#resize()).observe(this.box);
    charts.add(this);
  }

  show(points, options) {
    const fits = this.#plot && this.#options.unit === options.unit && this.#options.limit === options.limit;
    this.#points = points;
    this.#options = options;
    if (fits) this.#plot.setData(this.#columns());
    else this.draw();
    this.#read(null);
    this.#fillTable();
  }

  /** Draw from nothing: colours are read from the page's style, so a change of scheme needs this. */
  draw() {
    this.#plot?.destroy();
    if (this.#points.length && this.box.clientWidth) this.#plot = new uPlot(this.#setup(), this.#columns(), this.box);
    else this.#plot = null;
  }

  #columns() {
    const running = (p) => p.end > (this.#options.now ?? Infinity);
    const of = (keep) => this.#points.map((p) => (keep(p) ? p.value : null));
    return [this.#points.map((p) => p.start / 1000), of((p) => !running(p)), of(running)];
  }

  #resize() {
    if (!this.#plot) this.draw();
    else if (this.#plot.width !== this.box.clientWidth || this.#plot.height !== this.box.clientHeight)
      this.#plot.setSize(this.#size());
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  #setup() {
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const font = "12px system-ui, sans-serif";
    const axis = {
      stroke: colour("--muted"),
      font,
      ticks: { show: false },
      grid: { stroke: colour("--line"), width: 1 },
    };
    const line = { stroke: colour("--accent"), width: 2, points: { show: false }, spanGaps: false };
    const bars = {
      fill: colour("--accent"),
      stroke: colour("--accent"),
      width: 0,
      points: { show: false },
      paths: uPlot.paths.bars({ size: [0.66, 28] }),
    };
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 9, fill: colour("--accent") } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.clock.timezone),
      scales: {
        x: { range: (_, low, high) => (this.style === "bars" ? [low - HALF_DAY, high + HALF_DAY] : [low, high]) },
        y: { range: (_, __, high) => [0, Math.max(high ?? 0, this.#options.limit ?? 0, 1e-9) * 1.12] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 64,
          values: (_, ticks) => ticks.map((t) => this.clock.short(t * 1000)),
        },
        { ...axis, size: 52, space: 44, values: (_, ticks) => ticks.map((t) => t.toLocaleString("en-GB")) },
      ],
      series: [{}, this.style === "bars" ? bars : line, { ...bars, fill: colour("--bar-soft") }],
      hooks: {
        setCursor: [(plot) => this.#read(plot.cursor.idx)],
        draw: [(plot) => this.#drawLimit(plot, colour("--limit"), font)],
      },
    };
  }

  #drawLimit(plot, colour, font) {
    const { limit, limitText } = this.#options;
    if (!limit) return;
    const { ctx, bbox } = plot;
    const y = Math.round(plot.valToPos(limit, "y", true));
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = font.replace("12px", `${12 * devicePixelRatio}px`);
    ctx.textAlign = "right";
    ctx.fillText(limitText, bbox.left + bbox.width - 2, y - 7 * devicePixelRatio);
    ctx.restore();
  }

  #read(index) {
    const point = this.#points[index] ?? this.#points.at(-1);
    setText(this.readout, point ? `${this.clock.day(point.start)}: ${this.#words(point)}` : "No values yet.");
  }

  #words(point) {
    const value = point.value === null ? "no value" : `${number(point.value, point.unit)} ${unitText(point.unit)}`;
    const sofar = point.end > (this.#options.now ?? Infinity) ? " so far" : "";
    return `${value}${sofar}, ${percent(point.coverage)} covered, ${STATUS[point.status].toLowerCase()}`;
  }

  #fillTable() {
    this.table.querySelector(".scroll")?.remove();
    if (!this.table.open) return;
    const cell = (p) => [
      this.clock.day(p.start),
      p.value === null ? "none" : number(p.value, p.unit),
      percent(p.coverage),
      STATUS[p.status],
    ];
    const rows = this.#points.toReversed().map((p) => el("tr", {}, ...cell(p).map((text) => el("td", {}, text))));
    const heads = ["Day", unitText(this.#options.unit ?? ""), "Covered", "Status"];
    const table = el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, ...rows),
    );
    this.table.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Values" }, table));
  }
}
