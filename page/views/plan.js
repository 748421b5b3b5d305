// Plan: how many charging points fit beside a measured load, what if, and the outlook. A plan never looks like a measurement.

import { getJson } from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { el } from "../lib/dom.js";
import { number, quantity } from "../lib/format.js";
import { card, chip, note, segments, sentence } from "../lib/parts.js";
import { labels } from "../lib/period.js";
import { addressOf, go, keep } from "../lib/place.js";
import { t } from "../lib/text.js";
import { outlook } from "./plan_outlook.js";
import { scenario } from "./plan_scenario.js";
import { recorded } from "./plan_sessions.js";

const DEFAULTS = { n: 20, kw: 7.2, a: 63, km: 13000, per: 20, home: 90, meter: "" };
const FUSES = ["25", "35", "50", "63", "80", "100", "125", "160", "250", "400"];
const POWERS = ["3.7", "7.2", "11", "22"];
const OTHERS = { scenario, outlook };
const CALM_MS = 250;
const AGAIN_MS = 15000;

export async function plan(root, context) {
  const { city, query, signal } = context;
  const show = OTHERS[query.show] ? query.show : "charging";
  const tabs = [["charging", t("plan.charging")], ["scenario", t("scenario.tab")], ["outlook", t("outlook.tab")]];
  root.append(el("div", { class: "view-head" }, segments(t("plan.what"), tabs, show, (id) => go(addressOf(city.id, ["plan"], OTHERS[id] ? { show: id } : {})))));
  if (OTHERS[show]) return OTHERS[show](root, context);
  const state = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query[name] ?? value]));
  const found = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/devices`, signal);
  const meters = found.devices.filter((d) => d.kind === "electricity_meter" && !d.withheld);
  const out = el("div", { class: "stack-l", role: "status" });
  const timer = { id: null };
  const change = (name, value) => {
    state[name] = value;
    keep(Object.fromEntries(Object.entries(state).map(([key, v]) => [key, String(v) === String(DEFAULTS[key]) ? "" : v])));
    clearTimeout(timer.id);
    timer.id = setTimeout(() => calculate(context, state, out), CALM_MS);
  };
  const column = el("div", { class: "stack-l" }, out);
  root.append(el("div", { class: "plan-grid" }, inputs(state, meters, change), column));
  await calculate(context, state, out);
  // The page is complete without it: an older server has no sessions.
  column.append(await recorded(context, state, month(city)).catch(() => ""));
}

function inputs(state, meters, change) {
  const range = (name, label, min, max, step, words) => {
    const shown = el("output", {}, words(Number(state[name])));
    const slide = el("input", { type: "range", min, max, step, value: state[name], "aria-label": label });
    slide.addEventListener("input", () => {
      shown.textContent = words(Number(slide.value));
      change(name, slide.value);
    });
    return el("label", { class: "field" }, el("span", { class: "row between" }, label, shown), slide);
  };
  const choice = (name, label, options) => el("label", { class: "field" }, el("span", {}, label), el("select", { onchange: (event) => change(name, event.target.value) }, ...options.map(([id, words]) => el("option", { value: id, selected: String(state[name]) === id }, words))));
  return el(
    "form",
    { class: "card plan-inputs", "aria-label": t("plan.inputs"), onsubmit: (event) => event.preventDefault() },
    el("h2", {}, t("plan.building")),
    choice("meter", t("plan.load"), [["", t("plan.no_load")], ...meters.map((d) => [d.id, d.site || d.id])]),
    choice("a", t("plan.connection"), FUSES.map((a) => [a, `3 × ${a} A`])),
    el("h2", {}, t("plan.cars")),
    range("n", t("plan.points"), 1, 80, 1, (v) => number(v)),
    el("div", { class: "field" }, el("span", {}, t("plan.power")), segments(t("plan.power"), POWERS.map((p) => [p, `${number(Number(p), p.includes(".") ? 1 : 0)} kW`]), String(state.kw), (p) => change("kw", p))),
    range("km", t("plan.km"), 2000, 40000, 500, (v) => quantity(v, "km")),
    range("per", t("plan.per"), 12, 35, 0.5, (v) => quantity(v, "kWh")),
    range("home", t("plan.home"), 0, 100, 5, (v) => quantity(v, "%")),
    el("p", { class: "muted small" }, t("plan.sample")),
  );
}

/** The last full month: whose load stands beside the cars. */
const month = (city) => labels(city, "month")[1] ?? labels(city, "month")[0];

async function calculate({ city, signal }, state, out) {
  const query = new URLSearchParams({ points: state.n, kw: state.kw, connection: `3x${state.a}A`, km: state.km, kwh_per_100km: state.per, at_home: Number(state.home) / 100, curve: "true" });
  if (state.meter) {
    query.set("meter", state.meter);
    query.set("period", month(city));
  }
  try {
    const p = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/plan/charging?${query}`, signal);
    out.replaceChildren(answerCard(p), curveCard(p), el("div", { class: "grid" }, headroom(p), options(p)));
  } catch (error) {
    if (!signal.aborted) failed(error, out, signal, () => calculate({ city, signal }, state, out));
  }
}

/** A plan that the server refuses is said to be wrong; one that it cannot calculate at the moment is requested again. */
function failed(error, out, signal, again) {
  if (error.status < 500) return out.replaceChildren(el("h1", {}, t("plan.wrong")), note("bad", error.message));
  out.replaceChildren(el("h1", {}, error.message), el("p", { class: "muted" }, t("error.again")));
  const timer = setTimeout(again, AGAIN_MS);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

function answerCard(p) {
  const most = p.first_over === null ? null : p.first_over - 1;
  const head = p.fits ? t("plan.fits", { n: p.points }) : most ? t("plan.most", { n: most }) : t("plan.none_fits");
  return el(
    "section",
    { class: "card plan-answer", "data-fits": p.fits ? "yes" : "no" },
    el("div", { class: "row between" }, el("h1", {}, head), chip("watch", t("plan.label"))),
    el("p", {}, t("plan.said", { n: p.points, p50: quantity(p.p50_kw, "kW"), p95: quantity(p.p95_kw, "kW"), limit: quantity(p.connection_kw, "kW") })),
    el("p", { class: "muted small" }, t("plan.energy", { day: quantity(p.energy_day_kwh, "kWh", 0), year: quantity(p.energy_year_kwh / 1000, "MWh") })),
    ...p.notes.map((text) => el("p", { class: "muted small" }, sentence(text))),
  );
}

function curveCard(p) {
  const c = p.curve ?? [];
  const picture = chart({
    name: t("plan.chart", { n: p.points, p50: quantity(p.p50_kw, "kW"), p95: quantity(p.p95_kw, "kW") }),
    unit: t("plan.unit"),
    noGaps: true,
    height: 260,
    series: [{ name: t("plan.median"), label: t("plan.median"), values: c.map((v) => v.p50_kw), low: c.map((v) => v.p50_kw), high: c.map((v) => v.p95_kw), kind: "band", tone: "1", dashed: true }],
    limits: [{ value: p.connection_kw, text: t("plan.limit") }],
    x: { ticks: c.flatMap((v, i) => (v.points === 1 || v.points % 20 === 0 ? [[i, number(v.points)]] : [])) },
    words: (i) => t("plan.read", { n: c[i].points, p50: quantity(c[i].p50_kw, "kW"), p95: quantity(c[i].p95_kw, "kW") }),
  });
  return card(t("plan.peaks"), null, el("p", { class: "muted small" }, t("plan.band")), picture);
}

function headroom(p) {
  const top = Math.max(p.p95_kw, p.connection_kw) * 1.1;
  const bar = el("div", { class: "headroom", "aria-hidden": "true", "--base": `${(p.base_peak_kw / top) * 100}%`, "--with": `${(p.p95_kw / top) * 100}%`, "--limit": `${(p.connection_kw / top) * 100}%` });
  const node = card(t("plan.headroom"), null, bar, el("p", { class: "small" }, t(p.headroom_kw >= 0 ? "plan.left" : "plan.over", { kw: quantity(Math.abs(p.headroom_kw), "kW"), base: quantity(p.base_peak_kw, "kW") })));
  node.classList.add("c6");
  return node;
}

function options(p) {
  const rows = (p.options ?? []).map((o) => el("li", {}, el("b", {}, `${number(o.kw, Number.isInteger(o.kw) ? 0 : 1)} kW`), el("span", {}, t("plan.option", { p95: quantity(o.p95_kw, "kW") })), chip(o.fits ? "good" : "bad", o.fits ? t("plan.fits_word") : t("plan.too_much", { kw: quantity(-o.headroom_kw, "kW") }))));
  const node = card(t("plan.options"), null, el("ul", { class: "options" }, ...rows));
  node.classList.add("c6");
  return node;
}
