// All 91 indicators of a city in one period: where each value comes from, how near its target is, and why one is missing.

import { getJson } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { number, partText, percent, periodText, unitText } from "./format.js";
import { addressOf, fail, view } from "./frame.js";
import { whyText } from "./reasons.js";

const address = new URL(location.href);
const FIELDS = ["period", "origin", "goal", "find"];

view("indicators", async (detail) => {
  await load(detail);
  byId("filters").addEventListener("input", (event) => {
    keep();
    if (event.target.id === "period") load(detail).catch(fail);
    else show(detail, shown);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
});

let shown = null;

async function load(detail) {
  const period = address.searchParams.get("period");
  const query = period ? `?period=${encodeURIComponent(period)}` : "";
  shown = await getJson(`/v1/cities/${encodeURIComponent(detail.id)}/indicators${query}`);
  offerPeriods(detail, shown.period);
  offerGoals(shown.indicators);
  for (const name of FIELDS.slice(1)) byId(name).value = address.searchParams.get(name) ?? "";
  byId("content").hidden = false;
  show(detail, shown);
}

function keep() {
  for (const name of FIELDS) {
    const value = byId(name).value;
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(null, "", address);
}

function offerPeriods(detail, current) {
  const last = new Date(detail.data_until ?? Date.now()).getUTCFullYear();
  const first = new Date(detail.data_from ?? detail.data_until ?? Date.now()).getUTCFullYear();
  const years = Array.from({ length: Math.min(60, last - first + 1) }, (_, back) => String(last - back));
  const months = recent(detail);
  const labels = [...new Set([current, ...years, ...months])].sort().reverse();
  byId("period").replaceChildren(
    ...labels.map((p) => el("option", { value: p, selected: p === current }, periodText(p))),
  );
}

/** The last twelve months with data. */
function recent(detail) {
  const last = new Date(detail.data_until ?? Date.now());
  const first = Date.parse(detail.data_from ?? detail.data_until ?? new Date().toISOString());
  const months = Array.from({ length: 12 }, (_, back) => new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth() - back, 1)));
  return months.filter((m) => m.getTime() + 31 * 86400000 > first).map((m) => m.toISOString().slice(0, 7));
}

function offerGoals(rows) {
  const goals = [...new Set(rows.flatMap((row) => row.sdg))].sort((a, b) => Number(a) - Number(b));
  const options = goals.map((goal) => el("option", { value: goal }, `SDG ${goal}`));
  byId("goal").replaceChildren(el("option", { value: "" }, "all goals"), ...options);
}

function wanted(row) {
  const origin = byId("origin").value;
  const goal = byId("goal").value;
  const find = byId("find").value.trim().toLowerCase();
  if (origin === "target" ? row.target === null : origin && row.origin !== origin) return false;
  if (goal && !row.sdg.includes(goal)) return false;
  return !find || `${row.name} ${row.code} ${row.part} ${row.category}`.toLowerCase().includes(find);
}

function show(detail, found) {
  const { summary } = found;
  const parts = [`${summary.with_value} of ${summary.kpis} indicators have a value in ${periodText(found.period)}`];
  if (summary.with_target) parts.push(`${summary.on_target} of ${summary.with_target} figures are on target`);
  byId("answer").hidden = false;
  setText(byId("answer"), `${parts.join(", and ")}.`);
  const rows = found.indicators.filter(wanted);
  setText(byId("found"), rows.length ? `${rows.length} figures` : "No indicator fits these filters.");
  const groups = Map.groupBy ? Map.groupBy(rows, (row) => row.sub_dimension) : grouped(rows);
  byId("tables").replaceChildren(...[...groups].map(([name, mine]) => group(detail, found.period, name, mine)));
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.sub_dimension, [...(groups.get(row.sub_dimension) ?? []), row]);
  return groups;
}

function group(detail, period, name, rows) {
  const here = rows.filter((row) => row.origin !== "missing");
  const missing = rows.filter((row) => row.origin === "missing");
  const box = el("section", { class: "panel group", "aria-label": name });
  box.append(el("h2", {}, name, el("span", { class: "muted" }, ` ${here.length} of ${rows.length}`)));
  if (here.length) box.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values: ${name}` }, table(detail, period, here)));
  if (missing.length) box.append(waiting(detail, period, missing));
  return box;
}

function table(detail, period, rows) {
  const heads = ["Indicator", "Value", "Target", "Sureness"];
  return el(
    "table",
    { class: "indicators" },
    el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((row) => line(detail, period, row))),
  );
}

const full = (row) => (row.part ? `${row.name}: ${partText(row.part)}` : row.name);

function link(detail, period, row) {
  const to = `${addressOf(detail.id, "k", row.code, row.part)}?period=${encodeURIComponent(period)}`;
  return el("a", { href: to }, full(row));
}

function line(detail, period, row) {
  const name = el("th", { scope: "row" }, el("span", { class: "mark", "data-origin": row.origin }), link(detail, period, row));
  name.append(el("span", { class: "code" }, ` ${row.code} · ${row.origin === "derived" ? "from sensors" : "reported"}`));
  const sure = row.origin === "reported" ? "reported by the city" : `${percent(row.coverage ?? 0)} covered, ${row.status}`;
  const value = el("td", {}, el("b", {}, number(row.value, row.unit)), " ", el("span", { class: "unit" }, unitText(row.unit)));
  return el("tr", {}, name, value, target(row), el("td", {}, sure));
}

function target(row) {
  if (row.target === null) return el("td", { class: "muted" }, "none set");
  const cell = el("td", {}, `${row.direction === "lower" ? "at most" : "at least"} ${number(row.target, row.unit)} `);
  if (row.performance !== null) {
    const band = row.performance >= 0.95 ? 4 : row.performance >= 0.66 ? 3 : row.performance >= 0.33 ? 2 : 1;
    cell.append(el("span", { class: "band", "data-band": band }, band === 4 ? "on target" : `${percent(row.performance)} of it`));
  }
  return cell;
}

function waiting(detail, period, rows) {
  const reasons = new Map();
  for (const row of rows) {
    const why = whyText(row.why, row.notes);
    reasons.set(why, [...(reasons.get(why) ?? []), row]);
  }
  return el(
    "details",
    { class: "missing" },
    el("summary", {}, `${rows.length} without a value`),
    el(
      "ul",
      {},
      ...[...reasons].map(([why, mine]) =>
        el("li", {}, `${why[0].toUpperCase()}${why.slice(1)}: `, ...mine.flatMap((row, i) => [i ? ", " : "", link(detail, period, row)])),
      ),
    ),
  );
}
