// Outlook: the month's peak so far and what is left, and 48 hours of load or air. Forecasts, labelled as such.

import { getJson } from "../lib/api.js";
import { chart, someTicks } from "../lib/chart.js";
import { el } from "../lib/dom.js";
import { partText, percent, periodText, power, quantity, unitText } from "../lib/format.js";
import { bones, card, chip, note, table, track } from "../lib/parts.js";
import { keep } from "../lib/place.js";
import { t } from "../lib/text.js";

const LOAD = "load";
const AIR = ["no2", "pm2_5", "pm10", "o3"];
const CALM_MS = 400;

/** Two cards: each is requested by itself, so that one that fails leaves the other. */
export async function outlook(root, { city, clock, query, signal }) {
  const path = `/v1/cities/${encodeURIComponent(city.id)}`;
  const found = await getJson(`${path}/devices`, signal);
  const boxes = [el("div", { class: "stack", role: "status" }), el("div", { class: "stack", role: "status" })];
  const of = series(found.devices);
  const chosen = of.some(([id]) => id === query.of) ? query.of : LOAD;
  const head = el("h1", {}, t("outlook.title"));
  const peak = (limit) => shown(boxes[0], signal, async () => peakOf(await getJson(`${path}/plan/peak${limit ? `?limit=${limit}` : ""}`, signal), clock, head));
  const next = (id) => shown(boxes[1], signal, async () => forecastOf(await getJson(`${path}/plan/forecast?${parameters(id)}`, signal), nameOf(of, id), clock));
  const timer = { id: null };
  const limited = (event) => {
    const limit = Number(event.target.value) > 0 ? event.target.value : "";
    keep({ limit });
    clearTimeout(timer.id);
    timer.id = setTimeout(() => peak(limit), CALM_MS);
  };
  const limit = el("input", { type: "number", min: 0, step: "any", inputmode: "decimal", value: query.limit ?? "", oninput: limited });
  const change = (id) => {
    keep({ of: id === LOAD ? "" : id });
    next(id);
  };
  const choice = el("select", { onchange: (event) => change(event.target.value) }, ...of.map(([id, words]) => el("option", { value: id, selected: id === chosen }, words)));
  root.append(
    head,
    el("div", { class: "stack-l" },
      card(t("outlook.peak"), null, el("label", { class: "field short" }, el("span", {}, t("outlook.limit")), limit), boxes[0]),
      card(t("outlook.next"), null, el("label", { class: "field short" }, el("span", {}, t("outlook.of")), choice), boxes[1])),
  );
  peak(query.limit);
  next(chosen);
}

/** What can be forecast: the load of all meters, and the air of each station. */
function series(devices) {
  const stations = devices.filter((d) => d.kind.startsWith("air_"));
  const air = stations.flatMap((d) => AIR.filter((q) => d.quantities.includes(q)).map((q) => [`${d.id}:${q}`, t("outlook.air", { part: partText(q), site: d.site || d.id })]));
  return [[LOAD, t("outlook.load")], ...air];
}

const nameOf = (of, id) => of.find(([known]) => known === id)[1];

function parameters(id) {
  const at = id.lastIndexOf(":");
  return new URLSearchParams(id === LOAD ? { quantity: LOAD } : { device: id.slice(0, at), quantity: id.slice(at + 1) });
}

async function shown(box, signal, make) {
  const turn = (box.turn = (box.turn ?? 0) + 1);
  box.replaceChildren(bones(3));
  const parts = await make().catch((error) => [note("watch", error.message)]);
  if (!signal.aborted && box.turn === turn) box.replaceChildren(...parts);
}

const kw = (value) => quantity(power(value).value, power(value).unit);

function peakOf(p, clock, head) {
  const under = p.limit_kw !== null && p.limit_kw > p.peak_kw;
  const over = p.limit_kw !== null && !under ? t("outlook.over", { over: kw(p.peak_kw - p.limit_kw) }) : null;
  const left = t(under ? "outlook.left_limit" : "outlook.left_peak", { left: kw(p.left_kw) });
  head.textContent = (over ?? left).replace(/\.$/, "");
  return [
    el("p", { class: "value" }, kw(p.peak_kw)),
    el("p", { class: "muted" }, t("outlook.so_far", { month: periodText(p.month), at: clock.full(p.peak_at) })),
    p.limit_kw === null ? null : track(p.peak_kw, p.limit_kw, 0.9),
    el("p", {}, t("outlook.latest", { latest: kw(p.latest_kw) }), over ? ` ${left}` : ""),
    p.missing ? el("p", { class: "muted small" }, t("outlook.missing", { share: percent(p.missing) })) : null,
  ].filter(Boolean);
}

function forecastOf(f, name, clock) {
  const better = f.scores.filter((s) => s.better);
  const head = el("div", { class: "row between" }, el("h3", {}, name), chip("watch", t("outlook.label")));
  return [head, better.length ? picture(f, name, clock) : note("watch", t("outlook.none")), el("p", { class: "muted small" }, t("outlook.how")), scores(f)];
}

function picture(f, name, clock) {
  const values = f.hours.map((h) => h.value);
  const edge = (sign) => f.hours.map((h) => (h.value === null ? null : Math.max(h.value + sign * h.p90_error, 0)));
  const known = values.filter((v) => v !== null);
  const [low, high] = [edge(-1), edge(1)];
  const time = (i) => clock.near(f.hours[i].time, f.hours[0].time);
  return chart({
    name: t("outlook.chart", { name, low: quantity(Math.min(...known), f.unit), high: quantity(Math.max(...known), f.unit) }),
    unit: t("outlook.unit", { unit: unitText(f.unit) }),
    series: [{ name, label: t("outlook.short"), values, low, high, kind: "band", tone: "1", dashed: true }],
    x: { ticks: someTicks(f.hours.length, (i) => clock.time(f.hours[i].time), 8) },
    words: (i) => (values[i] === null ? t("outlook.not_at", { time: time(i) }) : t("outlook.read", { time: time(i), value: quantity(values[i], f.unit), low: quantity(low[i], f.unit), high: quantity(high[i], f.unit) })),
  });
}

function scores(f) {
  const heads = [t("outlook.ahead"), { text: t("outlook.error"), num: true }, { text: t("outlook.week"), num: true }, t("outlook.answer")];
  const rows = f.scores.map((s) => [t("outlook.hours", { first: s.first, last: s.last }), quantity(s.model, f.unit), quantity(s.naive, f.unit), s.better ? chip("good", t("outlook.shown")) : chip("off", t("outlook.hidden"))]);
  return table(t("outlook.scores"), heads, rows);
}
