// One indicator: its value, its history, how it is made down to each device, and what it means.

import { choice } from "./air.js";
import { getJson } from "./api.js";
import { Chart } from "./charts.js";
import { byId, el, setText } from "./dom.js";
import { clockOf, number, partText, percent, periodText, STATUS, unitText } from "./format.js";
import { fail, place, view } from "./frame.js";
import { whyText } from "./reasons.js";

const address = new URL(location.href);
const STEPS = ["day", "month", "quarter", "year"];
const { city, rest } = place();
const [code, part = ""] = rest;
const base = `/v1/cities/${encodeURIComponent(city)}/kpis/${encodeURIComponent(code)}`;

view("indicators", async (detail) => {
  const entry = (await getJson("/v1/catalogue")).find((e) => e.code === code);
  if (!entry) throw new Error(`There is no indicator ${code}. The list of all indicators is under Indicators.`);
  const clock = clockOf(detail.timezone);
  const name = part ? `${entry.name}: ${partText(part)}` : entry.name;
  document.title = `${name} · ${detail.name}`;
  byId("content").hidden = false;
  setText(byId("about"), `${entry.code} · ${entry.dimension} · ${entry.category}`);
  meaning(entry);
  const chart = new Chart(clock, "bars", `History of ${name}`);
  byId("history").append(chart.node);
  byId("steps").append(...STEPS.map((s) => choice("step", s, s, s === step())));
  byId("steps").addEventListener("change", (event) => {
    address.searchParams.set("step", event.target.value);
    history.replaceState(null, "", address);
    past(chart).catch(fail);
  });
  const rows = await past(chart);
  await value(entry, name, rows);
});

const step = () => (STEPS.includes(address.searchParams.get("step")) ? address.searchParams.get("step") : "month");

/** Draw the history of the chosen step; returns its rows, oldest first. */
async function past(chart) {
  const answer = await getJson(`${base}/series?kind=${step()}${part ? `&part=${encodeURIComponent(part)}` : ""}`);
  const mine = answer.series.find((s) => s.part === part) ?? answer.series[0];
  const rows = mine
    ? mine.start.map((start, i) => ({
        start: Date.parse(start),
        end: Date.parse(mine.end[i]),
        period: mine.period[i],
        value: mine.value[i],
        unit: mine.unit[i],
        coverage: mine.coverage[i],
        status: mine.status[i],
      }))
    : [];
  chart.show(rows.slice(-400), { unit: rows.at(-1)?.unit ?? "", now: Date.now() });
  offerPeriods(rows);
  return rows;
}

function offerPeriods(rows) {
  const wanted = address.searchParams.get("period");
  const labels = rows.map((row) => row.period).reverse();
  if (wanted && !labels.includes(wanted)) labels.unshift(wanted);
  const select = byId("period");
  select.replaceChildren(...labels.map((p) => el("option", { value: p, selected: p === wanted }, periodText(p))));
  select.onchange = () => {
    address.searchParams.set("period", select.value);
    history.replaceState(null, "", address);
    proof(select.value).catch(failedProof);
  };
}

async function value(entry, name, rows) {
  const wanted = address.searchParams.get("period") ?? rows.findLast((row) => row.value !== null)?.period;
  const query = wanted ? `?period=${encodeURIComponent(wanted)}&code=${encodeURIComponent(code)}` : `?code=${encodeURIComponent(code)}`;
  const found = (await getJson(`/v1/cities/${encodeURIComponent(city)}/kpis${query}`)).filter((k) => k.part === part);
  const kpi = found.at(-1);
  const heading = byId("answer");
  heading.hidden = false;
  if (!kpi || kpi.value === null) {
    setText(heading, `${name} has no value${wanted ? ` for ${periodText(wanted)}` : ""}.`);
    byId("value").append(el("p", { class: "muted" }, sentence(kpi ? whyText(kpi.reason, kpi.notes) : "nothing is stored for this period")));
    if (kpi?.notes) byId("value").append(el("p", {}, sentence(kpi.notes)));
  } else {
    setText(heading, `${name}: ${number(kpi.value, kpi.unit)} ${unitText(kpi.unit)} in ${periodText(kpi.period)}.`);
    byId("value").append(
      el("p", { class: "value" }, el("span", { class: "figure" }, number(kpi.value, kpi.unit)), " ", el("span", { class: "unit" }, unitText(kpi.unit))),
      el("p", {}, `${percent(kpi.coverage)} covered · ${kpi.n_devices} devices · ${STATUS[kpi.status] ?? kpi.status} · revision ${kpi.revision}`),
      ...(kpi.notes ? [el("p", { class: "muted" }, sentence(kpi.notes))] : []),
    );
  }
  const download = `${base}/series?kind=${step()}`;
  byId("value").append(el("p", {}, el("a", { href: download }, "These values as JSON")));
  const period = wanted ?? rows.at(-1)?.period;
  if (!entry.derivable || !period || /^(24h|365d)$/.test(period))
    byId("proof").append(el("p", { class: "muted" }, entry.derivable ? "A proof exists for calendar periods." : "This figure is entered by the city; sensors cannot give it."));
  else await proof(period).catch(failedProof);
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function failedProof(error) {
  byId("proof").replaceChildren(el("p", { class: "muted" }, error.message));
}

async function proof(period) {
  byId("proof").replaceChildren(el("p", { class: "muted" }, "Calculating it again from the stored hours …"));
  const query = `?format=json&period=${encodeURIComponent(period)}${part ? `&part=${encodeURIComponent(part)}` : ""}`;
  const found = await getJson(`${base}/explain${query}`);
  byId("proof").replaceChildren(...found.derived.map(derived), ...(found.derived.length ? [] : [el("p", { class: "muted" }, "Nothing was derived for this period.")]));
}

function derived(p) {
  const known = p.parameters.filter((q) => q.value !== null);
  return el(
    "div",
    { class: "stack" },
    el("p", {}, p.how),
    p.arithmetic ? el("p", { class: "arithmetic" }, p.arithmetic) : null,
    known.length ? el("p", { class: "muted" }, `With ${known.map((q) => `${q.name} = ${q.value}${q.source ? ` (${q.source})` : ""}`).join(", ")}.`) : null,
    devices(p.devices),
    p.stored ? el("p", { class: "muted" }, sentence(p.stored)) : null,
  );
}

function devices(rows) {
  if (!rows.length) return null;
  const heads = ["Device", "Quantity", "Readings", "Covered", "Mean", "Sum or increase", "Remark"];
  const line = (d) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, d.site || d.device, el("span", { class: "code" }, ` ${d.device}`)),
      el("td", {}, partText(d.quantity)),
      el("td", {}, `${d.readings.toLocaleString("en-GB")}${d.flagged ? ` (${d.flagged} flagged)` : ""}`),
      el("td", {}, d.capture === null ? "" : percent(d.capture)),
      el("td", {}, d.mean === null ? "" : number(d.mean)),
      el("td", {}, number(d.increase || d.sum)),
      el("td", { class: "muted" }, [d.left_out && `left out: ${d.left_out}`, d.suspect, ...d.calibration].filter(Boolean).join("; ")),
    );
  const table = el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map(line)),
  );
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Devices of this value" }, table);
}

function meaning(entry) {
  const pairs = [
    ["Definition", entry.definition],
    ["Unit", `${unitText(entry.unit)}${entry.unit_status === "verified" ? "" : ` (${entry.unit_status})`}`],
    ["Better", { higher: "more is better", lower: "less is better" }[entry.direction] ?? "no direction is defined"],
    ["Goals", entry.sdg.map((goal) => `SDG ${goal}`).join(", ") || "none"],
    ["Method", entry.method || "entered by the city"],
    ["Source", entry.source],
  ];
  byId("meaning").append(...pairs.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));
}
