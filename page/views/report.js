// Report: what is still missing of the 91, the form and the file to fill in, and one figure entered by a reporter.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { fileLink } from "../lib/download.js";
import { percent } from "../lib/format.js";
import { button, card, note, reason } from "../lib/parts.js";
import { addressOf, go } from "../lib/place.js";
import { t } from "../lib/text.js";
import { entryForm, mayEnter, statesOf } from "./report_entry.js";

const NEEDED = 0.8; // of the 91; a report with fewer is returned

export async function report(root, context) {
  const { city, query, levels, signal } = context;
  const base = `/v1/cities/${encodeURIComponent(city.id)}`;
  const year = query.year ?? String(new Date().getFullYear() - 1);
  const [found, me] = await Promise.all([getJson(`${base}/indicators?period=${encodeURIComponent(year)}`, signal), getJson("/v1/me", signal)]);
  const states = await statesOf(base, year, me, signal);
  const missing = found.indicators.filter((row) => row.origin === "missing");
  const wanted = levels[0] ? found.indicators.find((row) => row.code === levels[0] && row.part === (levels[1] ?? "")) : (missing.find((row) => !row.derivable) ?? missing[0]);
  const { summary: s } = found;
  const left = Math.max(0, Math.ceil(NEEDED * s.kpis) - s.with_value);
  const years = Array.from({ length: 6 }, (_, back) => String(new Date().getFullYear() - back));
  root.append(
    el("div", { class: "row between view-head" }, el("div", {}, el("h1", {}, left ? t("report.answer", { n: left }) : t("report.enough", { n: s.with_value, all: s.kpis })), el("p", { class: "muted" }, t("report.about", { year, role: t(`role.${me.role}`) }))), el("div", { class: "row" }, el("label", { class: "inline" }, el("span", {}, t("kind.year")), el("select", { class: "pick", onchange: (event) => go(addressOf(city.id, ["report"], { year: event.target.value })) }, ...years.map((y) => el("option", { value: y, selected: y === year }, y)))), formLink(city, base, year, "xlsx"), formLink(city, base, year, "csv"))),
    el("div", { class: "report-grid" }, list(city, year, found, missing, s, wanted), wanted ? entryForm(context, base, year, wanted, me, states) : card(t("report.done"), null), many(context, base, year, me, states)),
  );
}

function formLink(city, base, year, format) {
  return fileLink(t(`report.form_${format}`), `${base}/report/form?year=${encodeURIComponent(year)}&format=${format}`, `${city.id}-${year}.${format}`);
}

function list(city, year, found, missing, s, wanted) {
  const codes = new Map();
  for (const row of missing) codes.set(row.code, [...(codes.get(row.code) ?? []), row]);
  const whole = new Set(found.indicators.filter((row) => row.origin !== "missing").map((row) => row.code));
  for (const code of whole) codes.delete(code); // of which a part is there
  const groups = [["report.by_city", [...codes.values()].filter((rows) => !rows[0].derivable)], ["report.by_sensors", [...codes.values()].filter((rows) => rows[0].derivable)]];
  const item = (rows) => el("li", { class: rows.includes(wanted) ? "chosen" : null }, el("a", { href: addressOf(city.id, ["report", rows[0].code, rows[0].part], { year }) }, rows[0].name), rows[0].derivable ? el("span", { class: "muted small block" }, reason(rows[0].why)) : null);
  const node = card(t("report.missing", { n: codes.size }), null, el("div", { class: "track", "--share": `${(100 * s.with_value) / s.kpis}%`, "--limit": `${100 * NEEDED}%`, "aria-hidden": "true" }), el("p", { class: "small muted" }, t("report.share", { n: s.with_value, all: s.kpis, share: percent(s.with_value / s.kpis), needed: percent(NEEDED) })));
  for (const [key, mine] of groups) if (mine.length) node.append(el("h3", {}, t(key)), el("ul", { class: "todo" }, ...mine.map(item)));
  return node;
}

function many({ signal }, base, year, me, states) {
  const may = mayEnter(me);
  const said = el("div", { role: "status" });
  const file = el("input", { type: "file", accept: ".xlsx,.csv,text/csv", disabled: !may, "aria-label": t("report.file") });
  const load = async () => {
    if (!file.files[0]) return;
    try {
      const done = await sendJson("POST", `${base}/report/figures`, await asBody(file.files[0]));
      said.replaceChildren(note("good", t("report.loaded", { n: done.figures }), done.findings.join(" ")));
    } catch (error) {
      if (!signal.aborted) said.replaceChildren(note("bad", t("report.problem"), error.message));
    }
  };
  const drafts = states.filter((s) => s.draft).length;
  const submit = async () => {
    try {
      const done = await sendJson("POST", `${base}/report/submit`, { year: Number(year) });
      said.replaceChildren(note("good", t("report.loaded", { n: done.changed }), done.findings.join(" ")));
    } catch (error) {
      if (!signal.aborted) said.replaceChildren(note("bad", t("report.problem"), error.message));
    }
  };
  const waiting = drafts ? el("div", { class: "stack" }, el("p", { class: "small" }, t("report.drafts", { n: drafts, year })), el("div", {}, button(t("report.submit_drafts"), submit))) : null;
  return card(t("report.many"), null, el("p", { class: "small" }, t("report.many_how")), file, el("div", {}, button(t("report.load"), load)), waiting, said);
}

// A workbook as base64, CSV as text: the API accepts both.
async function asBody(file) {
  if (!file.name.toLowerCase().endsWith(".xlsx")) return { csv: await file.text() };
  const address = await new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
  return { xlsx: address.slice(address.indexOf(",") + 1) };
}
