// Plan on recorded sessions: whole users are drawn beside the measured load; the cheapest solution that fits is named.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { textOf } from "../lib/files.js";
import { number, percent, quantity } from "../lib/format.js";
import { button, card, chip, note, sentence, table } from "../lib/parts.js";
import { t } from "../lib/text.js";

const LEAST_KWH = 20; // of a user in the period: one or two sessions

/** A card that calculates the plan of `state` with the server's sessions, or with those of a file. */
export async function recorded({ city, signal }, state, period) {
  const path = `/v1/cities/${encodeURIComponent(city.id)}/plan`;
  const own = await getJson(`${path}/sessions`, signal);
  const chosen = { file: null };
  const out = el("div", { class: "stack", role: "status" });
  const run = () => calculate(path, { ...state }, period, chosen.file, own, out);
  return card(
    t("recorded.title"),
    null,
    el("p", { class: "muted small" }, own.sessions ? t("recorded.own", { n: own.sessions, users: own.users }) : t("recorded.none")),
    el("label", { class: "field" }, el("span", {}, t("scenario.file")), el("input", { type: "file", accept: ".csv,.gz,text/csv", onchange: (event) => (chosen.file = event.target.files[0] ?? null) })),
    el("div", {}, button(t("recorded.run"), run, "main")),
    out,
  );
}

async function calculate(path, state, period, file, own, out) {
  if (!file && !own.sessions) return out.replaceChildren(note("bad", t("recorded.no_file")));
  out.replaceChildren(el("p", { class: "muted" }, t("scenario.running"), " ", t("scenario.seconds")));
  const load = state.meter ? { meters: [state.meter], period } : {};
  const used = { km: Number(state.km), kwh_per_100km: Number(state.per), at_home: Math.max(Number(state.home), 1) / 100 };
  try {
    const body = { points: Number(state.n), kw: Number(state.kw), connection: `3x${state.a}A`, least_kwh: LEAST_KWH, sessions_csv: file ? await textOf(file) : "", ...load, ...used };
    out.replaceChildren(...result(await sendJson("POST", `${path}/charging`, body)));
  } catch (error) {
    out.replaceChildren(note("bad", error.message));
  }
}

const nameOf = (o) => t(`solution.${o.name.replace(" ", "_")}`);

function result(p) {
  const best = p.options.find((o) => o.name === p.recommended);
  const u = p.unmanaged;
  const fits = p.first_over === null ? t("recorded.fits_all", { n: p.looked_up_to }) : t("recorded.fits", { n: p.first_over - 1 });
  return [
    el("div", { class: "row between" }, el("h3", {}, t("recorded.best", { name: nameOf(best) })), chip("watch", t("plan.label"))),
    el("p", {}, t("recorded.said", { p50: quantity(u.p50, "kW"), low: number(u.p5), high: quantity(u.p95, "kW"), limit: quantity(p.connection_kw, "kW") }), " ", fits, " ", t("recorded.managed", { kw: quantity(p.managed_kw, "kW") })),
    solutions(p),
    el("p", { class: "muted small" }, t("recorded.factors", { df: number(p.demand_factor.p50), cf: number(p.coincidence.p50), points: number(p.points, 0), min: number(p.interval_min, 0), draws: number(p.draws, 0) })),
    parts(p),
    el("ul", { class: "small muted" }, ...[...p.notes, ...p.rejected_rows].map((text) => el("li", {}, sentence(text)))),
  ];
}

function solutions(p) {
  const heads = [t("recorded.solution"), { text: t("recorded.peak"), num: true }, { text: t("recorded.short"), num: true }, t("recorded.answer")];
  const rows = p.options.map((o) => [nameOf(o), quantity(o.p95_kw, "kW"), percent(o.shortfall), chip(o.fits ? "good" : "bad", o.fits ? t("plan.fits_word") : t("recorded.not"))]);
  return table(t("recorded.solutions"), heads, rows, { class: "solutions" });
}

function parts(p) {
  const heads = [t("recorded.made_of"), { text: "kW", num: true }];
  return table(t("recorded.made_of"), heads, p.contributions.map((c, i) => [t(`recorded.part${i}`), number(c.kw)]));
}
