// All 91 indicators of a city in one period: wheel, filters and table; where each value comes from and how near its target is.

import { getJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { downloads } from "../lib/download.js";
import { number, partText, percent, periodText, unitText } from "../lib/format.js";
import { reason, scroll, segments, select } from "../lib/parts.js";
import { periodChooser } from "../lib/period.js";
import { addressOf, go, keep } from "../lib/place.js";
import { sparkline } from "../lib/sparkline.js";
import { t } from "../lib/text.js";
import { legend } from "./now_standing.js";
import { wheel } from "./wheel.js";

const SOURCES = ["", "derived", "reported", "missing", "target"];

export async function indicators(root, context) {
  const { city, query, signal } = context;
  const base = `/v1/cities/${encodeURIComponent(city.id)}/indicators`;
  const found = await getJson(`${base}?period=${encodeURIComponent(query.period || "newest")}`, signal);
  const state = { source: SOURCES.includes(query.source) ? query.source : "", goal: query.goal ?? "", find: query.find ?? "" };
  const left = el("div", { class: "wheel-side" });
  const count = el("p", { class: "muted small", role: "status" });
  const tables = el("div", { class: "card flush" });
  const draw = () => {
    keep(state);
    const rows = found.indicators.filter((row) => wanted(row, state));
    left.replaceChildren(wheelOf(context, found, state), legend(byIndicator(found, state).map((k) => k.points)), el("p", { class: "legend" }, el("span", {}, mark("derived"), t("origin.derived")), el("span", {}, mark("reported"), t("origin.reported")), el("span", {}, mark("missing"), t("origin.missing"))));
    count.textContent = rows.length ? t("indicators.count", { n: rows.length, all: found.indicators.length }) : t("indicators.nothing");
    tables.replaceChildren(table(city.id, found.period, rows));
  };
  root.append(head(context, found, base), el("div", { class: "wheel-and-table" }, left, el("div", { class: "stack" }, filters(found, state, draw), count, tables)));
  draw();
}

function head({ city }, found, base) {
  const { summary: s } = found;
  const newest = found.period === "newest";
  const places = { ...(s.with_target ? { n: s.on_target, all: s.with_target } : { n: s.with_value, all: s.kpis }), period: periodText(found.period) };
  const answer = t(s.with_target ? (newest ? "indicators.newest" : "indicators.answer") : newest ? "indicators.newest_values" : "indicators.answer_values", places);
  const change = (period) => go(addressOf(city.id, ["indicators"], { ...Object.fromEntries(new URLSearchParams(location.search)), period }));
  return el(
    "div",
    { class: "row between view-head" },
    el("div", {}, el("h1", {}, answer), el("p", { class: "muted" }, t("indicators.about", { derived: s.derived, reported: s.reported, missing: s.kpis - s.with_value }))),
    el("div", { class: "row" }, periodChooser(city, found.period, ["newest", "day", "month", "quarter", "year"], change), ...downloads(`${base}?period=${encodeURIComponent(found.period)}`, `${city.id}-indicators-${found.period}`)),
  );
}

function filters(found, state, draw) {
  const goals = [...new Set(found.indicators.flatMap((row) => row.sdg))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const set = (name) => (value) => {
    state[name] = value;
    draw();
  };
  const find = el("input", { type: "search", placeholder: t("indicators.find"), "aria-label": t("indicators.find"), value: state.find, oninput: (event) => set("find")(event.target.value) });
  return el(
    "form",
    { class: "filters row", onsubmit: (event) => event.preventDefault() },
    segments(t("indicators.source"), SOURCES.map((s) => [s, t(`indicators.source.${s || "all"}`)]), state.source, set("source")),
    find,
    select(t("indicators.goal"), [["", t("indicators.goals")], ...goals.map((goal) => [goal, `SDG ${goal}`])], state.goal, set("goal")),
  );
}

function wanted(row, { source, goal, find }) {
  if (source === "target" ? row.target === null : source && row.origin !== source) return false;
  if (goal && !row.sdg.includes(goal)) return false;
  return !find.trim() || `${row.name} ${row.code} ${row.part} ${row.category}`.toLowerCase().includes(find.trim().toLowerCase());
}

/** One row an indicator: of one with several data points the mean of their bands, and the best origin. */
function byIndicator(found, state) {
  const order = { missing: 0, derived: 1, reported: 2 };
  const rows = new Map();
  for (const row of found.indicators) {
    const known = rows.get(row.code) ?? { code: row.code, name: row.name, sub: row.sub_dimension, block: row.category, all: [], origin: "missing", dim: true, first: row };
    known.all.push(row);
    if (order[row.origin] > order[known.origin]) [known.origin, known.first] = [row.origin, row];
    known.dim &&= !wanted(row, state);
    rows.set(row.code, known);
  }
  return [...rows.values()].map((k) => ({ ...k, points: points(k) }));
}

function points(k) {
  const scored = k.all.map((r) => r.points).filter((p) => p !== null);
  if (scored.length) return Math.round(scored.reduce((a, b) => a + b, 0) / scored.length);
  return k.origin === "missing" ? null : 0;
}

function wheelOf({ city }, found, state) {
  const rows = byIndicator(found, state);
  const open = (code) => {
    const row = rows.find((r) => r.code === code).first;
    go(addressOf(city.id, ["k", row.code, row.part], { period: periodOf(found.period, row) }));
  };
  const { summary: s } = found;
  const hub = (kpi) => kpi
    ? [el("b", { class: "hub-name" }, kpi.name), el("span", {}, kpi.first.value === null ? reason(kpi.first.why) : `${number(kpi.first.value)} ${unitText(kpi.first.unit)}`), el("span", { class: "muted small" }, kpi.code)]
    : [el("b", {}, t("wheel.hub", { n: s.with_value, all: s.kpis })), el("span", { class: "small" }, t("wheel.hub_more", { share: percent(1 - s.with_value / s.kpis) })), el("b", { class: "small" }, t("wheel.hub_target", { n: s.on_target }))];
  return wheel(rows, open, hub);
}

export const mark = (origin) => el("i", { class: "origin", "data-origin": origin, "aria-hidden": "true" });

function table(city, period, rows) {
  if (!rows.length) return el("p", { class: "empty" }, t("indicators.nothing"));
  const groups = new Map();
  for (const row of rows) groups.set(row.sub_dimension, [...(groups.get(row.sub_dimension) ?? []), row]);
  const heads = ["name", "value", "target", "performance", "years", "origin"];
  return scroll(
    t("view.indicators"),
    el(
      "table",
      { class: "dense" },
      el("caption", { class: "unseen" }, t("indicators.caption", { period: periodText(period) })),
      el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col", class: h === "value" || h === "target" ? "num" : null }, t(`indicators.head.${h}`))))),
      ...[...groups].map(([name, mine]) => group(city, period, name, mine)),
    ),
  );
}

function group(city, period, name, rows) {
  const here = rows.filter((row) => row.origin !== "missing");
  const missing = rows.filter((row) => row.origin === "missing");
  return el(
    "tbody",
    {},
    el("tr", { class: "group" }, el("th", { scope: "rowgroup", colspan: 4 }, t(`sub.${name}`)), el("td", { colspan: 2, class: "num" }, t("indicators.have", { n: here.length, all: rows.length }))),
    ...here.map((row) => line(city, period, row)),
    missing.length ? el("tr", { class: "missing" }, el("td", { colspan: 6 }, mark("missing"), " ", el("b", {}, t("indicators.without", { n: missing.length })), " ", ...names(city, period, missing))) : null,
  );
}

/** Those without a value by their reason, each a link: one line for a group instead of a wall. */
function names(city, period, rows) {
  const reasons = new Map();
  for (const row of rows) reasons.set(reason(row.why), [...(reasons.get(reason(row.why)) ?? []), row]);
  return [...reasons].flatMap(([why, mine]) => [el("span", { class: "muted" }, `${why} `), ...mine.flatMap((row, i) => [i ? ", " : "", link(city, period, row)]), " "]);
}

const full = (row) => (row.part ? `${row.name}: ${partText(row.part)}` : row.name);
const periodOf = (period, row) => row.period || (period === "newest" ? "" : period);
const link = (city, period, row) => el("a", { href: addressOf(city, ["k", row.code, row.part], { period: periodOf(period, row) }) }, full(row));

function line(city, period, row) {
  const sure = row.origin === "reported" ? t("indicators.for", { period: periodText(row.period) }) : t("indicators.sure", { period: periodText(row.period), share: percent(row.coverage ?? 0) });
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, link(city, period, row), el("span", { class: "code block" }, row.level === "core" ? row.code : `${row.code} · ${t(`level.${row.level}`)}`)),
    el("td", { class: "num" }, el("b", {}, number(row.value)), el("span", { class: "code block" }, unitText(row.unit))),
    el("td", { class: "num muted" }, row.target === null ? "–" : `${row.direction === "lower" ? "≤" : "≥"} ${number(row.target)}`),
    el("td", {}, performance(row)),
    el("td", {}, row.history.filter(([, value]) => value !== null).length > 1 ? sparkline(row.history.map(([, value]) => value)) : null),
    el("td", {}, mark(row.origin), " ", t(`origin.${row.origin}`), el("span", { class: "code block" }, sure)),
  );
}

function performance(row) {
  if (row.performance === null) return el("span", { class: "muted" }, t("perf.0"));
  return el("span", { class: "row nowrap" }, el("span", { class: "perf", "data-points": String(row.points), "--share": `${row.performance * 100}%`, "aria-hidden": "true" }), t(`perf.${row.points}`));
}
