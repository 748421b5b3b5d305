// What if: the city's figures as measured, and after changes to what was measured. Planned values, labelled as such.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { textOf } from "../lib/files.js";
import { number, partText, percent, periodText, quantity, unitText } from "../lib/format.js";
import { card, chip, note, segments, sentence, table } from "../lib/parts.js";
import { labels } from "../lib/period.js";
import { addressOf, keep } from "../lib/place.js";
import { t } from "../lib/text.js";

const DEFAULTS = { period: "", ev: 40, evkw: 11, saving: 0, kwp: 0, roofs: 50, has: "", factor: "", cap: "" };
const POWERS = ["3.7", "7.2", "11", "22"];
const PERIODS = 24;
const DRAWS = 100;
// What can be tried at once, by the parameters of the address.
const EXAMPLES = { cars: { ev: 40 }, saving: { ev: 0, saving: 10 }, both: { ev: 40, saving: 10 } };

/** The inputs of a scenario, and what came of it. */
export function scenario(root, { city, query }) {
  const offered = [...labels(city, "month").slice(0, PERIODS), ...labels(city, "year")];
  const state = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query[name] ?? value]));
  state.period ||= labels(city, "month")[1] ?? labels(city, "month")[0];
  const out = el("div", { class: "stack-l", role: "status" }, start(city));
  const change = (name, value) => {
    state[name] = value;
    if (name !== "file") keep({ [name]: String(value) === String(DEFAULTS[name]) ? "" : value });
  };
  const run = () => {
    keep({ run: state.file ? "" : "1" }); // the address shows the same to somebody else; a file cannot be in it
    return calculate(city, state, out);
  };
  root.append(el("div", { class: "plan-grid" }, inputs(state, offered, change, run), out));
  if (query.run) run();
}

function start(city) {
  const sessions = el("p", { class: "muted small" }, t("scenario.file_about"));
  const own = (found) => found.sessions && (sessions.textContent = t("recorded.own", { n: found.sessions, users: found.users }));
  getJson(`/v1/cities/${encodeURIComponent(city.id)}/plan/sessions`).then(own, () => {});
  const examples = Object.entries(EXAMPLES).map(([id, query]) => el("a", { class: "button", href: addressOf(city.id, ["plan"], { show: "scenario", ...query, run: 1 }) }, t(`scenario.try.${id}`)));
  return el("section", { class: "card" }, el("h1", {}, t("scenario.title")), el("p", {}, t("scenario.about")), sessions, el("p", { class: "row" }, ...examples));
}

function inputs(state, offered, change, run) {
  const range = (name, label, max, step, words) => {
    const shown = el("output", {}, words(Number(state[name])));
    const slide = el("input", { type: "range", min: 0, max, step, value: state[name], "aria-label": label });
    slide.addEventListener("input", () => {
      shown.textContent = words(Number(slide.value));
      change(name, slide.value);
    });
    return el("label", { class: "field" }, el("span", { class: "row between" }, label, shown), slide);
  };
  const entry = (name, label) => el("label", { class: "field" }, el("span", {}, label), el("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: state[name], oninput: (event) => change(name, event.target.value) }));
  const share = (v) => quantity(v, "%");
  return el(
    "form",
    { class: "card plan-inputs", "aria-label": t("scenario.inputs"), onsubmit: (event) => (event.preventDefault(), run()) },
    el("label", { class: "field" }, el("span", {}, t("scenario.period")), el("select", { onchange: (event) => change("period", event.target.value) }, ...offered.map((label) => el("option", { value: label, selected: label === state.period }, periodText(label))))),
    el("h2", {}, t("plan.cars")),
    range("ev", t("scenario.ev"), 100, 5, share),
    el("div", { class: "field" }, el("span", {}, t("plan.power")), segments(t("plan.power"), POWERS.map((p) => [p, `${number(Number(p), p.includes(".") ? 1 : 0)} kW`]), String(state.evkw), (p) => change("evkw", p))),
    el("label", { class: "field" }, el("span", {}, t("scenario.file")), el("input", { type: "file", accept: ".csv,.gz,text/csv", onchange: (event) => change("file", event.target.files[0] ?? null) })),
    entry("cap", t("scenario.cap")),
    el("h2", {}, t("scenario.other")),
    range("saving", t("scenario.saving"), 50, 1, share),
    range("kwp", t("scenario.kwp"), 20, 1, (v) => quantity(v, "kWp")),
    range("roofs", t("scenario.roofs"), 100, 5, share),
    entry("has", t("scenario.has")),
    entry("factor", t("scenario.factor")),
    el("button", { type: "submit", class: "button main" }, t("scenario.run")),
  );
}

/** The transforms that the inputs ask for, in the order in which they are applied. */
function transforms(state) {
  const found = [];
  if (Number(state.saving)) found.push({ kind: "saving", percent: Number(state.saving) });
  if (Number(state.kwp)) found.push({ kind: "pv", kwp: Number(state.kwp), share: Number(state.roofs) / 100, measured_kwp: Number(state.has) });
  if (Number(state.ev)) found.push({ kind: "ev_share", share: Number(state.ev) / 100, kw: Number(state.evkw), least_kwh: 1 });
  if (Number(state.ev) && state.cap !== "") found.push({ kind: "managed", connection_kw: Number(state.cap) });
  if (state.factor !== "") found.push({ kind: "grid_factor", kg_per_kwh: Number(state.factor), source: t("scenario.own_source") });
  return found;
}

/** What is missing before a request is worth sending; empty where nothing is. `own`: sessions of the server. */
function missing(state, own) {
  if (Number(state.ev) && !state.file && !own) return t("scenario.no_file");
  if (Number(state.kwp) && !Number(state.has)) return t("scenario.no_kwp");
  return "";
}

async function calculate(city, state, out) {
  const { sessions } = Number(state.ev) && !state.file ? await getJson(`/v1/cities/${encodeURIComponent(city.id)}/plan/sessions`).catch(() => ({ sessions: 0 })) : { sessions: 0 };
  const lacks = missing(state, sessions);
  if (lacks) return out.replaceChildren(el("h1", {}, t("plan.wrong")), note("bad", lacks));
  out.replaceChildren(el("h1", {}, t("scenario.running")), el("p", { class: "muted" }, t("scenario.seconds")));
  try {
    const csv = Number(state.ev) && state.file ? await textOf(state.file) : "";
    const body = { name: t("scenario.title"), period: state.period, transforms: transforms(state), draws: DRAWS, sessions_csv: csv };
    const found = await sendJson("POST", `/v1/cities/${encodeURIComponent(city.id)}/plan/scenario`, body);
    out.replaceChildren(answer(found), figures(found), ...feeders(found), notes(found));
  } catch (error) {
    out.replaceChildren(el("h1", {}, t("plan.wrong")), note("bad", error.message));
  }
}

function answer(found) {
  const changed = found.values.filter((v) => v.changed).length;
  const peak = found.values.find((v) => v.code === "LOCAL:E:PEAK" && v.changed && v.p50 !== null && v.baseline !== null);
  const words = peak ? t("scenario.peak", { measured: quantity(peak.baseline, peak.unit), planned: quantity(peak.p50, peak.unit), low: number(peak.p5), high: quantity(peak.p95, peak.unit) }) : "";
  return el(
    "section",
    { class: "card plan-answer" },
    el("div", { class: "row between" }, el("h1", {}, t("scenario.changes", { n: changed })), chip("watch", t("scenario.label"))),
    words ? el("p", {}, words) : null,
    el("p", { class: "muted small" }, t("scenario.rests", { period: periodText(found.period), draws: found.draws, seed: found.seed })),
  );
}

function figures(found) {
  const heads = [t("scenario.figure"), ...["scenario.measured", "scenario.p50", "scenario.p5", "scenario.p95"].map((key) => ({ text: t(key), num: true })), t("scenario.side")];
  const rows = found.values.filter((v) => v.changed).map((v) => [nameOf(v), number(v.baseline), number(v.p50), number(v.p5), number(v.p95), band(v)]);
  if (!rows.length) return card(t("scenario.table"), null, el("p", {}, t("scenario.nothing")));
  return card(t("scenario.table"), null, el("p", { class: "muted small" }, t("scenario.how")), table(t("scenario.table"), heads, rows, { class: "scenario-table" }));
}

const nameOf = (v) => el("span", {}, v.name, v.part ? ` · ${partText(v.part)}` : "", el("span", { class: "muted" }, unitText(v.unit) ? ` (${unitText(v.unit)})` : ""));

/** Measured as a line, planned as a band with its middle, on one scale from 0. */
function band(v) {
  if (v.p50 === null || v.baseline === null) return "";
  const top = Math.max(v.baseline, v.p95, 0) * 1.05;
  if (top <= 0 || Math.min(v.baseline, v.p5) < 0) return "";
  const at = (value) => `${(value / top) * 100}%`;
  return el("span", { class: "planned-band", "aria-hidden": "true", "--measured": at(v.baseline), "--low": at(v.p5), "--middle": at(v.p50), "--high": at(v.p95) });
}

function feeders(found) {
  if (!found.feeders.length) return [];
  const heads = [t("scenario.feeder"), ...["scenario.rating", "scenario.cars", "scenario.loading", "scenario.loading_planned", "scenario.over", "scenario.over_planned"].map((key) => ({ text: t(key), num: true }))];
  const rows = found.feeders.map((f) => [f.id, quantity(f.rating_kva, "kVA"), number(f.cars, 0), percent(f.highest), percent(f.scenario_highest_p95), quantity(f.hours_over, "h"), quantity(f.scenario_hours_over, "h")]);
  return [card(t("scenario.feeders"), null, table(t("scenario.feeders"), heads, rows))];
}

function notes(found) {
  const left = found.rejected_rows.length ? [t("scenario.left_out", { n: found.rejected_rows.length }), ...found.rejected_rows] : [];
  return card(t("scenario.notes"), null, el("ul", { class: "small" }, ...[...found.notes, ...left].map((text) => el("li", {}, sentence(text)))));
}
