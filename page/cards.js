// The grid of cards, and below it the KPIs without a value yet, each with the reason.

import { Card } from "./card.js";
import { byId, el, setText } from "./dom.js";
import { partText } from "./format.js";
import { sentence } from "./kpi.js";
import { KINDS } from "./values.js";

const ORDER = ["EN:EN:AQ:1C", "EN:E:E:2C", "EC:ICT:ES:1C"];
const PART_ORDER = ["pm2_5", "pm10", "no2", "o3", "so2"];

/** All KPIs of the chosen kind; `show(context, kind)` draws them, `touch(context, kpis)` updates changed values. */
export class Cards {
  #cards = new Map();
  #kind = "";

  show(context, kind) {
    this.#kind = kind;
    const all = context.values.ofKind(kind).sort(byPlace);
    const waiting = all.filter((kpi) => waits(context, kpi));
    const kpis = all.filter((kpi) => !waiting.includes(kpi));
    this.#cards = new Map(kpis.map((kpi) => [keyOf(kpi), new Card(context, kpi)]));
    const none = el("p", { class: "muted" }, `${periodName(kind)}: no values yet.`);
    byId("cards").replaceChildren(...(kpis.length ? [...this.#cards.values()].map((card) => card.node) : [none]));
    for (const kpi of kpis) this.#cards.get(keyOf(kpi)).update(context, kpi, kind);
    count(kind, kpis);
    showWaiting(context, waiting);
  }

  touch(context, kpis) {
    if (kpis.some((kpi) => this.#cards.has(keyOf(kpi)) === waits(context, kpi))) this.show(context, this.#kind);
    for (const kpi of kpis) this.#cards.get(keyOf(kpi))?.update(context, kpi, this.#kind);
    const all = context.values.ofKind(this.#kind);
    count(
      this.#kind,
      all.filter((kpi) => this.#cards.has(keyOf(kpi))),
    );
  }
}

const keyOf = (kpi) => `${kpi.code}|${kpi.part}`;
const periodName = (kind) => KINDS.find((k) => k.id === kind).text;

/**
 * Whether a KPI waits for devices or figures: never a value, and it is not coverage that is too low.
 * One that had values and has none now keeps its card: that is an outage, and must be seen.
 */
function waits({ values, rule }, kpi) {
  const covered = kpi.coverage > 0 && kpi.coverage < rule;
  return kpi.value === null && !covered && !values.everHad(kpi.code, kpi.part);
}

function count(kind, kpis) {
  const without = kpis.filter((kpi) => kpi.value === null).length;
  const text = `${periodName(kind)}: ${kpis.length} ${kpis.length === 1 ? "indicator" : "indicators"}`;
  setText(byId("kpi-count"), without ? `${text}, ${without} of them without enough data` : text);
}

function showWaiting({ catalogue }, kpis) {
  byId("waiting").hidden = kpis.length === 0;
  const one = kpis.length === 1;
  setText(
    byId("waiting-count"),
    `${kpis.length} more ${one ? "indicator needs" : "indicators need"} devices or figures`,
  );
  byId("waiting-list").replaceChildren(
    ...kpis.map((kpi) => waitingItem(catalogue.get(kpi.code)?.name ?? kpi.code, kpi)),
  );
}

function waitingItem(name, kpi) {
  const title = kpi.part ? `${name}, ${partText(kpi.part)}` : name;
  return el(
    "li",
    {},
    el("b", {}, title),
    " ",
    el("span", { class: "code" }, kpi.code),
    el("p", {}, sentence(kpi.notes || "no data")),
  );
}

function byPlace(a, b) {
  const place = (list, item) => list.indexOf(item) + 1 || list.length + 1;
  return (
    place(ORDER, a.code) - place(ORDER, b.code) ||
    place(PART_ORDER, a.part) - place(PART_ORDER, b.part) ||
    a.code.localeCompare(b.code)
  );
}
