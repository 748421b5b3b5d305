// One figure of the report view: definition, state and history, the form that is checked while typing, and what may be done.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { clockOf, number, partText, unitText } from "../lib/format.js";
import { button, card, chip, note } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";

const QUALITIES = ["measured", "survey", "higher-level", "assumed", "personal", "unknown"];
const KINDS = { draft: "watch", submitted: "off", verified: "good" };
const CHECK_MS = 600; // after the last key

export const mayEnter = (me) => ["reporter", "operator", "admin"].includes(me.role);
const mayVerify = (me) => ["operator", "admin"].includes(me.role);

/** The states of a year's figures; none for those who may not see drafts and names. */
export async function statesOf(base, year, me, signal) {
  return mayEnter(me) ? (await getJson(`${base}/report/states?year=${encodeURIComponent(year)}`, signal)).states : [];
}

export function entryForm(context, base, year, row, me, states) {
  const { city, signal } = context;
  const may = mayEnter(me);
  const point = { code: row.code, part: row.part };
  const of = (all) => all.find((s) => s.code === row.code && s.part === row.part);
  const said = el("div", { class: "said", role: "alert", tabindex: "-1" });
  const checked = el("div", { role: "status" });
  const standing = el("div", { class: "stack" });
  const definition = el("p", { class: "small" });
  const shown = of(states)?.draft ?? of(states)?.figure;
  const input = (name, attributes = {}) => el("input", { name, id: `f-${name}`, ...attributes });
  const field = (name, label, control, hint = "") => el("div", { class: "field" }, el("label", { for: `f-${name}` }, label), control, hint ? el("p", { class: "muted small" }, hint) : null);
  const before = row.history.filter(([, v]) => v !== null).map(([y, v]) => `${y}: ${number(v)}`).join(" · ");
  const form = el(
    "form",
    { class: "stack", onsubmit: (event) => (event.preventDefault(), send("submitted")), oninput: () => later() },
    field("value", t("report.value", { unit: unitText(row.unit) || row.unit }), input("value", { required: true, inputmode: "decimal", autocomplete: "off", disabled: !may, value: valueText(shown, row.unit) }), before),
    field("source", t("report.source"), input("source", { required: true, maxlength: 300, disabled: !may, value: shown?.source ?? "" })),
    field("quality", t("report.quality"), el("select", { name: "quality", id: "f-quality", disabled: !may }, ...QUALITIES.map((q) => el("option", { value: q, selected: q === shown?.quality }, t(`quality.${q}`))))),
    field("remark", t("report.remark"), el("textarea", { name: "remark", id: "f-remark", rows: 2, maxlength: 500, disabled: !may }, shown?.remark ?? "")),
    checked,
    el("div", { class: "row" }, el("button", { class: "button main", disabled: !may }, t("report.save")), may ? button(t("report.save_draft"), () => form.reportValidity() && send("draft")) : null),
  );
  const body = (state) => ({ state, figures: [{ ...point, year: Number(year), ...Object.fromEntries(new FormData(form)) }] });
  const attempt = async (work) => {
    try {
      await work();
      draw(await statesOf(base, year, me, signal));
    } catch (error) {
      if (!signal.aborted) said.replaceChildren(note("bad", t("report.problem"), error.message));
    }
    said.focus();
  };
  const send = (state) => attempt(async () => {
    const done = await sendJson("POST", `${base}/report/figures`, body(state));
    checked.replaceChildren();
    said.replaceChildren(note("good", t(state === "draft" ? "report.kept" : "report.saved"), done.findings.join(" ")));
  });
  const act = (what) => attempt(async () => {
    await sendJson("POST", `${base}/report/${what}`, { year: Number(year), figures: [point] });
    said.replaceChildren(note("good", t(`report.done_${what}`)));
  });
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    if (may && form.elements.value.value && form.elements.source.value) timer = setTimeout(check, CHECK_MS);
  };
  const check = async () => {
    const asked = body("check");
    let found;
    try {
      found = (await sendJson("POST", `${base}/report/figures`, asked)).findings;
    } catch (error) {
      found = [error.message];
    }
    if (signal.aborted || JSON.stringify(asked) !== JSON.stringify(body("check"))) return;
    checked.replaceChildren(found.length ? note("watch", t("report.to_check"), found.join(" ")) : note("good", t("report.no_finding")));
  };
  const draw = (all) => standing.replaceChildren(...(may ? standingOf(city, of(all), me, act) : []));
  draw(states);
  getJson(`${base}/kpis/${encodeURIComponent(row.code)}/about`, signal).then((about) => definition.replaceChildren(about.definition), () => {});
  return card(
    row.part ? `${row.name}: ${partText(row.part)}` : row.name,
    [t("details"), addressOf(city.id, ["k", row.code, row.part], { period: year })],
    el("p", { class: "code" }, `${row.code} · ${year}`),
    definition,
    may ? null : note("off", t("report.role", { role: t("role.reporter") }), t("report.role_is", { role: t(`role.${me.role}`) })),
    standing,
    said,
    form,
  );
}

const valueText = (figure, unit) => (!figure ? "" : unit === "yes/no" ? (figure.value ? "yes" : "no") : String(figure.value));

/** State, what may be done now, and the history, newest first. */
function standingOf(city, state, me, act) {
  if (!state) return [el("p", { class: "muted small" }, t("report.not_entered"))];
  const clock = clockOf(city.timezone);
  const who = state.time ? t("report.by", { who: state.who, when: clock.full(state.time) }) : t("report.by_import");
  const line = el("p", { class: "row" }, chip(KINDS[state.state], t(`figure_state.${state.state}`)), el("span", { class: "muted small" }, who));
  const waiting = state.draft && state.figure ? el("p", { class: "small" }, t("report.draft_beside", { draft: number(state.draft.value), value: number(state.figure.value) })) : null;
  const verify = mayVerify(me) && state.state === "submitted" && !state.draft && state.who !== me.name;
  const actions = [state.draft ? button(t("report.withdraw"), () => act("withdraw")) : null, verify ? button(t("report.verify"), () => act("verify")) : null];
  const items = [...state.steps].reverse().map((s) => el("li", {}, t("report.step", { when: clock.full(s.time), state: t(`figure_state.${s.state}`), who: s.who, value: number(s.value), source: s.source })));
  const history = items.length ? el("details", { class: "small" }, el("summary", {}, t("report.history", { n: items.length })), el("ul", {}, ...items)) : null;
  return [line, waiting, el("div", { class: "row" }, ...actions), history].filter((node) => node !== null);
}
