// One card: a KPI part with name, code, value, trend, coverage, status; everything else under "Details".

import { el, setText } from "./dom.js";
import { partText } from "./format.js";
import { coverageView, flash, missing, sentence, statusView, valueView } from "./kpi.js";
import { sparkline } from "./sparkline.js";
import { trend, whole } from "./trend.js";
import { KINDS } from "./values.js";

export class Card {
  constructor({ catalogue, rule }, kpi) {
    const entry = catalogue.get(kpi.code) ?? { name: kpi.code, dimension: "Local", direction: "" };
    this.direction = entry.direction;
    this.value = valueView();
    this.coverage = coverageView(rule);
    this.status = statusView();
    this.trend = el("p", { class: "trend" });
    this.line = el("div", { class: "line" });
    this.why = el("p", { class: "why", hidden: true });
    this.more = el("dl", { class: "more" });
    const id = `card-${`${kpi.code}-${kpi.part}`.replace(/[^A-Za-z0-9]+/g, "-")}`;
    const name = kpi.part ? partText(kpi.part) : entry.name;
    this.node = el(
      "article",
      {
        class: "card",
        "aria-labelledby": id,
        "data-dimension": entry.dimension,
        "data-code": kpi.code,
        "data-part": kpi.part,
      },
      el(
        "div",
        { class: "card-head" },
        el(
          "div",
          {},
          el("h3", { id }, name),
          el("p", { class: "code" }, kpi.part ? `${entry.name} · ${kpi.code}` : kpi.code),
        ),
        this.status.node,
      ),
      el("div", { class: "card-body" }, this.value.node, this.line),
      this.trend,
      this.why,
      this.coverage.node,
      el("details", {}, el("summary", {}, "Details", el("span", { class: "unseen" }, ` of ${name}`)), this.more),
    );
  }

  update(context, kpi, kind) {
    if (this.value.update(kpi)) flash(this.node);
    this.status.update(kpi);
    this.coverage.update(kpi);
    const why = missing(kpi, context.rule);
    setText(this.why, why);
    this.why.hidden = !why;
    const points = context.values.series(kpi.code, kpi.part, KINDS.find((k) => k.id === kind).series);
    this.#showTrend(trend(kpi, kind, points, context.now(), this.direction));
    this.line.replaceChildren(...[sparkline(whole(points, context.now()))].filter(Boolean));
    this.more.replaceChildren(...details(kpi, context.clock));
  }

  #showTrend(found) {
    const judged = found?.better === null || !found ? "" : found.better ? " (better)" : " (worse)";
    setText(this.trend, found ? `${found.arrow} ${found.text}${judged}`.trim() : "");
    this.trend.dataset.better = found?.better ?? "";
  }
}

function details(kpi, clock) {
  const pairs = [
    ["Period", `${clock.full(Date.parse(kpi.start))} to ${clock.full(Date.parse(kpi.end))}`],
    ["Method", kpi.method],
    ["Revision", String(kpi.revision)],
    ["Notes", kpi.notes ? sentence(kpi.notes) : "none"],
  ];
  return pairs.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]);
}
