// Now: the city's electricity, today against the same weekday a week ago, and this month's peak.

import { chart, someTicks } from "../lib/chart.js";
import { el } from "../lib/dom.js";
import { number, percent, periodText, power, quantity } from "../lib/format.js";
import { card, coverage, none, reason, status, track, trend } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";
import { sized } from "./now_air.js";

const STALE_MS = 60 * 60000;

export function powerCard(context, { electricity: e, at }) {
  if (!e) return null;
  const { city } = context;
  const head = [t("now.power.title"), [t("details"), addressOf(city.id, ["k", "LOCAL:E:METERED"], { step: "day" })]];
  const body = e.curve === null ? [none(t("now.power.too_many"))] : e.kw === null ? [none(t("now.power.silent"))] : load(context, e, at);
  const sure = e.coverage === undefined ? null : el("div", { class: "row between foot-row" }, coverage(e.coverage, city.rules.period_capture, t("meters_of", { n: e.meters, ok: e.n_devices })), status(e.status));
  return sized(card(...head, ...body, ...peak(e), sure), "c4");
}

function load({ clock }, e, at) {
  const shown = power(e.kw);
  const stale = Date.parse(at) - Date.parse(e.at) > STALE_MS;
  const weekday = clock.weekday(Date.parse(at) - 7 * 86400000);
  const words = e.change === null ? null : t(Math.abs(e.change) < 0.005 ? "now.power.same" : e.change > 0 ? "now.power.above" : "now.power.below", { change: percent(Math.abs(e.change)), weekday });
  return [
    el("div", { class: "row between" }, el("p", { class: "value" }, number(shown.value), el("small", {}, " ", t(stale ? "now.power.at" : "now.power.now", { unit: shown.unit, at: clock.near(e.at, at) }))), words ? trend(e.change, words, e.change < 0 ? true : null) : null),
    curve(e, clock, weekday, words),
  ];
}

function curve(e, clock, weekday, words) {
  const scale = power(Math.max(...e.curve.before, ...e.curve.today, e.limit_kw ?? 0));
  const factor = scale.unit === "MW" ? 1000 : 1;
  const part = (values) => values.map((v) => (v === null ? null : v / factor));
  const n = Math.max(e.curve.before.length, 92);
  const start = Date.parse(e.curve.start);
  const time = (i) => clock.time(start + i * 900000);
  const today = [...part(e.curve.today), ...Array(Math.max(0, n - e.curve.today.length)).fill(null)].slice(0, n);
  const until = today.findLastIndex((v) => v !== null) + 1;
  return chart({
    name: t("now.power.chart", { value: quantity(scale.unit === "MW" ? e.kw / 1000 : e.kw, scale.unit), change: words ?? "" }),
    unit: t("now.power.unit", { unit: scale.unit }),
    height: 150,
    until,
    series: [
      { name: weekday, label: weekday, values: part(e.curve.before), ghost: true },
      { name: t("now.today"), label: t("now.today"), values: today, tone: "1", area: true },
    ],
    limits: e.limit_kw ? [{ value: e.limit_kw / factor, text: t("now.power.contract") }] : [],
    x: { ticks: someTicks(n, time, 5) },
    words: (i) => t("now.power.read", { time: time(i), today: today[i] === null ? "–" : quantity(today[i], scale.unit), weekday, before: e.curve.before[i] === null ? "–" : quantity(e.curve.before[i] / factor, scale.unit) }),
  });
}

function peak(e) {
  if (!e.peak || e.peak.kw === null) return e.peak ? [] : [el("p", { class: "none" }, reason("no_data"))];
  const [shown, limit] = [power(e.peak.kw), e.limit_kw];
  const text = limit ? t("now.power.peak_of", { peak: quantity(shown.value, shown.unit), limit: quantity(power(limit).value, power(limit).unit) }) : quantity(shown.value, shown.unit);
  const left = limit ? power(Math.abs(limit - e.peak.kw)) : null;
  return [
    el("div", { class: "row between peak" }, el("b", {}, t("now.power.peak", { month: periodText(e.peak.month) })), el("span", {}, text)),
    limit ? track(e.peak.kw, limit, 0.9) : null,
    limit ? el("p", { class: "muted small" }, t(limit >= e.peak.kw ? "now.power.left" : "now.power.over", { left: quantity(left.value, left.unit) })) : null,
  ];
}
