// The electricity and the charging panel: their KPIs in the chosen period, and the energy of each day.

import { Chart } from "./charts.js";
import { byId, el } from "./dom.js";
import { coverageView, flash, missing, statusView, valueView } from "./kpi.js";

const DAYS = 31;

const PANELS = [
  {
    id: "energy",
    codes: ["EN:E:E:2C", "LOCAL:E:METERED"],
    chart: "LOCAL:E:METERED",
    label: "Metered electricity per day",
  },
  {
    id: "ev",
    codes: ["LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS", "LOCAL:EV:UTILISATION"],
    chart: "LOCAL:EV:ENERGY",
    label: "Charging energy per day",
  },
];

/** Both panels; `show(context, kind)` builds them, `touch(context)` updates changed values. */
export class Panels {
  #shown = [];

  show(context, kind) {
    this.#shown = PANELS.map((panel) => build(context, kind, panel)).filter(Boolean);
    byId("panels").hidden = this.#shown.length === 0;
    this.touch(context);
  }

  touch(context) {
    for (const panel of this.#shown) {
      for (const figure of panel.figures) figure.update(context);
      const points = context.values.series(panel.code, "", "day").slice(-DAYS);
      panel.chart.show(points, { unit: "kWh", now: context.now() });
    }
  }
}

function build(context, kind, { id, codes, chart: code, label }) {
  const section = byId(id);
  const known = codes.filter((c) => context.values.get(c, "", kind));
  const any = known.length > 0 || context.values.series(code, "", "day").length > 0;
  section.hidden = !any;
  if (!any) return null;
  const figures = known.map((c) => new Figure(context, c, kind));
  const chart = new Chart(context.clock, "bars", label);
  const body = [el("div", { class: "figures" }, ...figures.map((f) => f.node)), el("h3", {}, label), chart.node];
  section.replaceChildren(section.querySelector("h2"), ...body);
  return { code, figures, chart };
}

class Figure {
  constructor({ catalogue, rule }, code, kind) {
    this.code = code;
    this.kind = kind;
    this.value = valueView("value small");
    this.status = statusView();
    this.coverage = coverageView(rule);
    this.why = el("p", { class: "why", hidden: true });
    const name = el(
      "p",
      { class: "figure-name" },
      catalogue.get(code)?.name ?? code,
      el("span", { class: "code" }, code),
    );
    this.node = el(
      "div",
      { class: "figure-box", "data-code": code },
      name,
      this.value.node,
      this.why,
      this.coverage.node,
      this.status.node,
    );
  }

  update(context) {
    const kpi = context.values.get(this.code, "", this.kind);
    if (this.value.update(kpi)) flash(this.node);
    this.status.update(kpi);
    this.coverage.update(kpi);
    this.why.textContent = missing(kpi, context.rule);
    this.why.hidden = kpi.value !== null;
  }
}
