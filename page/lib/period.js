// Choosing a period: any day, month, quarter or year of the city's data, or the last 24 hours or 365 days.

import { el } from "./dom.js";
import { periodText } from "./format.js";
import { t } from "./text.js";

/** The kind of a period from its label. */
export function kindOf(label) {
  if (label === "24h" || label === "365d" || label === "newest") return label;
  if (label.includes("Q")) return "quarter";
  return { 4: "year", 7: "month", 10: "day" }[label.length] ?? "year";
}

/** First and last local day with data, as text. */
function span(city) {
  const day = (moment) => new Intl.DateTimeFormat("sv-SE", { timeZone: city.timezone }).format(moment);
  const until = city.data_until ? Math.min(Date.parse(city.data_until) - 1, Date.now()) : Date.now();
  return [day(city.data_from ? Date.parse(city.data_from) : until), day(until)];
}

const pad = (n) => String(n).padStart(2, "0");

/** The labels of a kind that lie in the data, newest first. */
export function labels(city, kind) {
  const [[y0, m0], [y1, m1]] = span(city).map((text) => text.split("-").map(Number));
  const found = [];
  if (kind === "year") for (let y = y1; y >= y0; y -= 1) found.push(String(y));
  if (kind === "quarter") for (let q = y1 * 4 + Math.ceil(m1 / 3) - 1; q >= y0 * 4 + Math.ceil(m0 / 3) - 1; q -= 1) found.push(`${Math.floor(q / 4)}-Q${(q % 4) + 1}`);
  if (kind === "month") for (let m = y1 * 12 + m1 - 1; m >= y0 * 12 + m0 - 1; m -= 1) found.push(`${Math.floor(m / 12)}-${pad((m % 12) + 1)}`);
  return found;
}

/** Kind and period as two controls; `choose(label)`. Years before the data are offered too: figures may be reported for them. */
export function periodChooser(city, current, kinds, choose) {
  const kind = kindOf(current);
  const [first, last] = span(city);
  const newest = { day: last, month: last.slice(0, 7), year: last.slice(0, 4), quarter: `${last.slice(0, 4)}-Q${Math.ceil(Number(last.slice(5, 7)) / 3)}`, "24h": "24h", "365d": "365d", newest: "newest" };
  const kindList = el("select", { class: "pick", "aria-label": t("period.kind"), onchange: (event) => choose(newest[event.target.value]) }, ...kinds.map((k) => el("option", { value: k, selected: k === kind }, t(`kind.${k}`))));
  return el("span", { class: "row nowrap period" }, kindList, which(city, current, kind, choose, first, last));
}

function which(city, current, kind, choose, first, last) {
  if (kind === "24h" || kind === "365d" || kind === "newest") return null;
  const attributes = { class: "pick", "aria-label": t("period.which"), onchange: (event) => event.target.value && choose(event.target.value) };
  if (kind === "day") return el("input", { ...attributes, type: "date", value: current, min: first, max: last });
  const offered = [...new Set([...labels(city, kind), current, ...(kind === "year" ? [1, 2, 3, 4, 5].map((n) => String(Number(last.slice(0, 4)) - n)) : [])])].sort().reverse();
  return el("select", attributes, ...offered.map((label) => el("option", { value: label, selected: label === current }, periodText(label))));
}
