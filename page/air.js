// The five pollutants against the WHO guideline, and the daily means of one of them.

import { Chart } from "./charts.js";
import { byId, el, setText } from "./dom.js";
import { partText, SHORT_PARTS, number } from "./format.js";
import { DAILY, GUIDELINE, POLLUTANTS } from "./guidelines.js";
import { coverageView, flash, missing, statusView, valueView } from "./kpi.js";

const CODE = "EN:EN:AQ:1C";
const DAYS = 92;
const WIDEST = 3; // the bars end at three times the guideline

/** The air panel; `show(context)` builds it, `touch(context)` updates changed values. */
export class Air {
  #rows = [];
  #chosen = POLLUTANTS[0];

  show(context) {
    const known = POLLUTANTS.filter((part) => annual(context, part));
    byId("air").hidden = known.length === 0;
    if (!known.length) return;
    this.#rows = known.map((part) => new Row(context, part));
    byId("air-rows").replaceChildren(scale(), ...this.#rows.map((row) => row.node));
    const measured = known.filter((part) => annual(context, part).value !== null);
    this.#chosen = measured.includes(this.#chosen) ? this.#chosen : (measured[0] ?? known[0]);
    this.#buildChart(context, known);
    this.touch(context);
  }

  touch(context) {
    for (const row of this.#rows) row.update(context);
    if (this.chart) this.#draw(context);
    const first = this.#rows.length && annual(context, this.#rows[0].part);
    if (first) setText(byId("air-basis"), `Annual mean: ${basis(context, first)}. The line marks the guideline.`);
  }

  #buildChart(context, known) {
    const box = byId("air-chart");
    const choices = known.map((part) => choice("pollutant", part, SHORT_PARTS[part], part === this.#chosen));
    const chooser = el(
      "fieldset",
      { class: "periods small" },
      el("legend", { class: "unseen" }, "Pollutant in the chart"),
      ...choices,
    );
    chooser.addEventListener("change", (event) => {
      this.#chosen = event.target.value;
      this.#draw(context);
    });
    this.chart = new Chart(context.clock, "line", "Daily means of the last three months");
    box.replaceChildren(el("div", { class: "section-head" }, el("h3", {}, "Daily means"), chooser), this.chart.node);
  }

  #draw(context) {
    const limit = DAILY[this.#chosen];
    this.chart.show(context.values.series(CODE, this.#chosen, "day").slice(-DAYS), {
      unit: "ug/m3",
      limit,
      limitText: `WHO 24 h guideline ${limit}`,
    });
  }
}

/** A radio button that looks like a segment. */
export function choice(group, value, text, checked) {
  return el("label", {}, el("input", { type: "radio", name: group, value, checked }), el("span", {}, text));
}

/** The annual mean: the rolling year, else the newest calendar year. */
function annual(context, part) {
  return context.values.get(CODE, part, "365d") ?? context.values.get(CODE, part, "year");
}

function basis(context, kpi) {
  const until = Math.min(Date.parse(kpi.end), context.now());
  return kpi.period === "365d" ? `365 days to ${context.clock.day(until)}` : `year ${kpi.period}`;
}

function scale() {
  const marks = ["0", "guideline", "2 ×", "3 ×"].map((text) => el("span", {}, text));
  return el("div", { class: "scale", "aria-hidden": "true" }, ...marks);
}

class Row {
  constructor({ rule }, part) {
    this.part = part;
    this.value = valueView("value small");
    this.status = statusView();
    this.coverage = coverageView(rule);
    this.bar = el("div", { class: "bullet", "aria-hidden": "true" }, el("span", { class: "fill" }));
    this.verdict = el("p", { class: "verdict" });
    this.why = el("p", { class: "why", hidden: true });
    const head = el("div", { class: "air-head" }, el("h3", {}, partText(part)), this.value.node);
    this.node = el(
      "div",
      { class: "air-row", "data-part": part },
      head,
      this.bar,
      el(
        "div",
        { class: "air-foot" },
        this.verdict,
        this.why,
        el("div", { class: "air-meta" }, this.coverage.node, this.status.node),
      ),
    );
  }

  update(context) {
    const kpi = annual(context, this.part);
    const guideline = GUIDELINE[this.part];
    if (this.value.update(kpi)) flash(this.node);
    this.status.update(kpi);
    this.coverage.update(kpi);
    const held = guideline.kind === "24h" ? context.values.get(CODE, this.part, "24h") : kpi;
    const ratio = guideline.value && held && held.value !== null ? held.value / guideline.value : null;
    this.bar.style.setProperty("--length", `${(100 * Math.max(0, Math.min(ratio ?? 0, WIDEST))) / WIDEST}%`);
    const level = ratio === null ? "none" : ratio > 1 ? "over" : "within";
    this.bar.dataset.level = this.verdict.dataset.level = level;
    setText(this.verdict, verdict(held, guideline, ratio));
    const why = missing(kpi, context.rule);
    setText(this.why, why && `Annual mean: ${why}`);
    this.why.hidden = !why;
  }
}

function verdict(held, guideline, ratio) {
  if (!guideline.value) return guideline.text;
  if (ratio === null) return `Not compared with the ${guideline.text}.`;
  const basis = guideline.kind === "24h" ? `Last 24 h: ${number(held.value)} µg/m³. ` : "";
  return basis + (ratio > 1 ? `✕ ${number(ratio)} times the ${guideline.text}.` : `✓ Within the ${guideline.text}.`);
}
