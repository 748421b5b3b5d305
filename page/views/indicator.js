// One indicator: its value and limits, its history with revisions, how it is made, what it means, and how to take it away.

import { getJson } from "../lib/api.js";
import { chart, someTicks } from "../lib/chart.js";
import { el } from "../lib/dom.js";
import { downloads, pictures } from "../lib/download.js";
import { number, partText, percent, periodText, POLLUTANTS, quantity, unitText } from "../lib/format.js";
import { button, card, coverage, none, reason, segments, sentence, status, table, trend } from "../lib/parts.js";
import { kindOf, periodChooser } from "../lib/period.js";
import { addressOf, go, keep } from "../lib/place.js";
import { hasText, t } from "../lib/text.js";
import { derivation } from "./derivation.js";
import { scaleOf } from "./limits.js";

const STEPS = ["day", "month", "quarter", "year"];
const KINDS = ["24h", "day", "month", "quarter", "year", "365d"];

export async function indicator(root, context) {
  const { city, levels, query, signal } = context;
  const [code, wantedPart] = levels;
  const base = `/v1/cities/${encodeURIComponent(city.id)}/kpis/${encodeURIComponent(code)}`;
  const entry = await getJson(`${base}/about`, signal);
  const part = wantedPart || (entry.parts.length ? (entry.parts[0] ?? "") : "");
  const [step, rows] = await stepped(base, STEPS.includes(query.step) ? [query.step] : entry.derivable ? ["month", "year"] : ["year"], part, city, signal);
  const name = Object.hasOwn(POLLUTANTS, part) ? partText(part) : part ? `${entry.name}: ${partText(part)}` : entry.name;
  document.title = `${name} · ${city.name}`;
  const view = { ...context, base, entry, code, part, step, rows, name };
  if (location.pathname.startsWith("/embed/")) return embedded(root, view);
  const period = query.period ?? rows.findLast((row) => row.value !== null)?.period ?? rows.at(-1)?.period ?? null;
  const value = period === null ? null : await valueOf(view, period);
  const past = history(view);
  root.append(
    el("nav", { class: "crumbs", "aria-label": t("crumbs") }, el("a", { href: addressOf(city.id, ["indicators"]) }, t("view.indicators")), " › ", hasText(`sub.${entry.sub_dimension}`) ? t(`sub.${entry.sub_dimension}`) : entry.sub_dimension, " › ", entry.category, " › ", entry.code),
    el("div", { class: "row between view-head" }, el("div", {}, el("h1", {}, answer(view, value, period)), el("p", { class: "muted" }, entry.definition)), choosers(view, period)),
    el("div", { class: "grid two-columns" }, column("c5", valueCard(view, value, period), reportedOn(view, period), meaning(entry)), column("c7", past.node, proofCard(view, value, period))),
    takeAway(view, past, period),
  );
}

/** Cards under each other, of the height that each needs. */
const column = (size, ...cards) => el("div", { class: `stack-cards ${size}` }, ...cards);

/** The first of these steps that has values, and its rows. */
async function stepped(base, steps, part, city, signal) {
  for (const step of steps) {
    const rows = await series(base, step, part, city, signal);
    if (rows.some((row) => row.value !== null) || step === steps.at(-1)) return [step, rows];
  }
  return [steps[0], []];
}

async function series(base, step, part, city, signal) {
  const days = step === "day" && city.data_until ? `&from=${new Date(Date.parse(city.data_until) - 370 * 86400000).toISOString().slice(0, 10)}` : "";
  const answer = await getJson(`${base}/series?kind=${step}${part && step !== "year" ? `&part=${encodeURIComponent(part)}` : ""}${days}`, signal);
  const [derived, reported] = [part, besideOf(part)].map((p) => rowsOf(answer.series.find((s) => s.part === p)));
  if (!reported.length) return derived;
  const counts = new Map([...derived, ...reported].map((row) => [row.period, row])); // what the city reports counts
  return [...counts.values()].sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
}

/** The part under which a reported figure is stored beside a derived one. */
const besideOf = (part) => (part ? `${part}:reported` : "reported");

function rowsOf(series) {
  if (!series) return [];
  const names = Object.keys(series).filter((name) => Array.isArray(series[name]));
  return series.period.map((_, i) => Object.fromEntries(names.map((name) => [name, series[name][i]])));
}

async function valueOf({ city, code, part, signal }, period) {
  const found = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/kpis?period=${encodeURIComponent(period)}&code=${encodeURIComponent(code)}`, signal);
  return found.find((k) => k.part === besideOf(part)) ?? found.find((k) => k.part === part) ?? null;
}

function answer({ name }, value, period) {
  if (period === null) return t("indicator.never", { name });
  if (!value || value.value === null) return t("indicator.none", { name, period: periodText(period) });
  return t("indicator.answer", { name, value: quantity(value.value, value.unit), period: periodText(period) });
}

function choosers({ city, code, part, entry, query }, period) {
  const change = (changes) => go(addressOf(city.id, ["k", code, changes.part ?? part], { ...query, ...changes, part: "" }));
  const parts = entry.parts.length > 1 ? segments(t("indicator.part"), entry.parts.map((p) => [p, p.length > 12 ? partText(p) : partText(p).split(", ").at(-1)]), part, (p) => change({ part: p })) : null;
  return el("div", { class: "row" }, parts, periodChooser(city, period ?? String(new Date().getFullYear()), KINDS, (p) => change({ period: p })));
}

function valueCard(view, value, period) {
  const { city, entry, rows } = view;
  const box = card(t("indicator.value"), null);
  if (!value || value.value === null) {
    box.append(none(value ? reason(value.reason, value.notes) : t("reason.no_data")));
    if (value?.notes) box.append(el("p", { class: "small" }, sentence(value.notes)));
    return box;
  }
  box.append(el("p", { class: "value" }, number(value.value), el("small", {}, ` ${unitText(value.unit)}`)), before(rows, value, entry) ?? "");
  const scale = el("div");
  box.append(scale);
  const without = () => el("p", { class: "muted small" }, t("limit.none"));
  scaleOf(view, value, period).then((node) => scale.replaceChildren(node ?? without())).catch(() => {});
  const known = value.method.startsWith("reported") ? el("span", { class: "muted small" }, t("indicator.by_city")) : coverage(value.coverage, city.rules.period_capture, t("devices", { n: value.n_devices }));
  box.append(el("div", { class: "row between foot-row" }, known, status(value.status)));
  if (value.notes) box.append(el("p", { class: "muted small" }, sentence(value.notes)));
  box.append(el("p", { class: "muted small" }, t(value.status === "final" ? "indicator.final" : "indicator.provisional", { n: value.revision })));
  return box;
}

const APART = 0.05; // as in reporting/basis.py

/** The change against the period before, where both are whole, of one unit and method, and of like coverage. */
function before(rows, value, entry) {
  const at = rows.findIndex((row) => row.period === value.period);
  const old = at > 0 ? rows[at - 1] : null;
  const running = Date.parse(value.end) > Date.now();
  const like = old && old.unit === value.unit && old.method === value.method && Math.abs(old.coverage - value.coverage) <= APART;
  if (!like || !old.value || running || [old.status, value.status].includes("partial")) return null;
  const change = value.value / old.value - 1;
  const better = entry.direction && Math.abs(change) >= 0.005 ? change > 0 === (entry.direction === "higher") : null;
  return trend(change, t(Math.abs(change) < 0.005 ? "trend.same" : change > 0 ? "trend.above" : "trend.below", { change: percent(Math.abs(change)), period: periodText(old.period) }), better);
}

function history(view) {
  const { rows, step } = view;
  const change = (s) => {
    keep({ step: s });
    go(location.href);
  };
  const drawn = rows.length ? drawnHistory(view) : null;
  const node = card(t("indicator.history"), null, el("div", { class: "row between" }, segments(t("indicator.step"), STEPS.map((s) => [s, t(`step.${s}`)]), step, change)), drawn ?? none(t("reason.no_data")));
  if (drawn) node.append(el("p", { class: "muted small no-print" }, t("indicator.read")), valuesTable(view));
  return { node, chart: () => drawn };
}

function drawnHistory({ rows, name, entry, clock }) {
  const unit = rows.findLast((row) => row.value !== null)?.unit ?? rows.at(-1).unit;
  const fits = (row) => (row.unit === unit ? row.value : null);
  const running = rows.map((row, i) => (Date.parse(row.end) > Date.now() ? i : -1)).filter((i) => i >= 0);
  return chart({
    name: t("indicator.chart", { name, unit: unitText(unit) || unit, from: periodText(rows[0].period), to: periodText(rows.at(-1).period) }),
    unit: unitText(unit) || unit,
    series: [{ name, values: rows.map(fits), kind: rows.length > 60 ? "line" : "bars", tone: "1", soft: running }],
    marks: rows.flatMap((row, i) => (row.revision > 1 && row.previous !== null && row.value !== null ? [{ index: i, text: t("indicator.revised", { was: number(row.previous), now: number(row.value), on: clock.day(row.changed) }) }] : [])),
    x: { ticks: someTicks(rows.length, (i) => short(rows[i].period)) },
    words: (i) => readout(rows[i]),
    direction: entry.direction,
  });
}

const short = (label) => (kindOf(label) === "month" ? periodText(label).replace(/^(\p{L}{3})\p{L}* /u, "$1 ") : kindOf(label) === "day" ? periodText(label).replace(/ \d{4}$/, "") : periodText(label));
const readout = (row) => `${periodText(row.period)}: ${row.value === null ? t("no_value") : quantity(row.value, row.unit)} · ${t("coverage", { share: percent(row.coverage) })} · ${t(`status.${row.status}`)}`;

function valuesTable({ rows }) {
  const heads = [t("period"), { text: t("value"), num: true }, { text: t("covered"), num: true }, t("status")];
  const box = el("details", {}, el("summary", {}, t("as_table")));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(table(t("as_table"), heads, rows.toReversed().map((row) => [periodText(row.period), row.value === null ? "–" : quantity(row.value, row.unit), percent(row.coverage), t(`status.${row.status}`)])));
  });
  return box;
}

function proofCard(view, value, period) {
  const box = card(t("indicator.made"), null);
  const say = (words) => box.append(none(words));
  if (!view.entry.derivable) say(t("indicator.entered"));
  else if (period === null || period === "24h" || period === "365d") calendar(view, box);
  else derivation(view, value, period, box);
  return box;
}

/** A rolling period has no proof of its own: the newest calendar period of the history that is over has. */
function calendar({ city, code, part, rows, query }, box) {
  const whole = rows.findLast((row) => row.value !== null && Date.parse(row.end) <= Date.now());
  box.append(none(t("indicator.calendar")));
  if (whole) box.append(el("p", {}, el("a", { href: addressOf(city.id, ["k", code, part], { ...query, period: whole.period }) }, t("indicator.proof_of", { period: periodText(whole.period) }))));
}

/** The stored earlier values of this period. */
function reportedOn({ rows, clock, query }, period) {
  const row = rows.find((r) => r.period === period);
  const box = card(t("indicator.reported_on"), null);
  if (!row) return box.append(none(t("indicator.other_step"))), box;
  const lines = [[clock.full(row.changed), row.value === null ? "–" : quantity(row.value, row.unit), row.revision > 1 ? t("indicator.revision", { n: row.revision }) : t("indicator.first")]];
  if (row.previous !== null && row.revision > 1) lines.push([t("indicator.before", { at: clock.full(row.changed) }), quantity(row.previous, row.unit), t("indicator.revision", { n: row.revision - 1 })]);
  box.append(table(t("indicator.reported_on"), [t("since"), { text: t("value"), num: true }, ""], lines));
  const day = el("input", { type: "date", value: query.as ?? "", onchange: (event) => (keep({ as: event.target.value }), answerFor(event.target.value)) });
  const said = el("p", { class: "small", role: "status" });
  const answerFor = (as) => (said.textContent = as ? asOf(row, as, clock) : "");
  if (query.as) answerFor(query.as);
  box.append(el("label", { class: "inline" }, el("span", {}, t("indicator.as")), day), said);
  return box;
}

function asOf(row, day, clock) {
  const end = Date.parse(`${day}T23:59:59Z`);
  if (Number.isNaN(end)) return t("indicator.as_wrong", { day });
  if (end >= Date.parse(row.changed)) return t("indicator.as_now", { day: clock.day(end), value: row.value === null ? "–" : quantity(row.value, row.unit) });
  if (row.revision === 2 && row.previous !== null) return t("indicator.as_then", { day: clock.day(end), value: quantity(row.previous, row.unit) });
  return t("indicator.as_unknown", { day: clock.day(end) });
}

function meaning(entry) {
  const pairs = [
    [t("meaning.definition"), entry.definition], [t("meaning.unit"), unitText(entry.unit) || entry.unit],
    [t("meaning.better"), t(`direction.${entry.direction || "none"}`)], [t("meaning.goals"), entry.sdg.map((goal) => `SDG ${goal}`).join(", ") || "–"],
    [t("meaning.method"), entry.method || t("indicator.entered")], [t("meaning.source"), entry.source.replaceAll("CM p", "Collection Methodology p. ").replaceAll("VM p", "Verification Manual p. ")],
  ];
  return card(t("indicator.meaning"), null, el("dl", { class: "pairs" }, ...pairs.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])));
}

function takeAway(view, past, period) {
  const { city, code, part, step, base, query } = view;
  const name = `${city.id}-${code.replaceAll(":", "-")}${part ? `-${part}` : ""}-${step}`;
  const link = new URL(addressOf(city.id, ["k", code, part], { period, step, as: query.as }), location.href).href; // names its period, so that it shows the same next year
  const frame = `<iframe src="${new URL(`/embed/${encodeURIComponent(city.id)}/${encodeURIComponent(code)}${part ? `/${encodeURIComponent(part)}` : ""}?step=${step}`, location.href).href}" width="640" height="340" title="${view.name.replaceAll('"', "&quot;")}"></iframe>`;
  const field = (value, label) => el("input", { class: "copy", readonly: true, value, "aria-label": label, onfocus: (event) => event.target.select() });
  const copy = (value) => button(t("copy"), async (event) => {
    await navigator.clipboard?.writeText(value).catch(() => {});
    event.target.textContent = t("copied");
  });
  const of = part ? `&part=${encodeURIComponent(part)}` : "";
  return el(
    "section",
    { class: "card away no-print", "aria-label": t("indicator.away") },
    el("div", { class: "row" }, el("h2", {}, t("indicator.away")), ...downloads(`${base}/series?kind=${step}${of}`, name), ...(past.chart() ? pictures(past.chart, name) : []), button(t("print"), () => window.print())),
    el("div", { class: "row" }, field(link, t("indicator.link")), copy(link)),
    el("details", {}, el("summary", {}, t("indicator.embed")), el("div", { class: "row" }, field(frame, t("indicator.embed")), copy(frame))),
  );
}

/** The chart alone, for a frame on another page. */
function embedded(root, view) {
  const { city, code, part, name, rows } = view;
  root.append(el("h1", { class: "embed-title" }, `${name}, ${city.name}`), rows.length ? drawnHistory(view) : none(t("reason.no_data")), el("p", { class: "small" }, el("a", { href: addressOf(city.id, ["k", code, part]), target: "_blank", rel: "noopener" }, t("embed.source"))));
}
