// One device: how it is, its curves with the neighbours, flags and gaps, calibration, records, and its registry entry.

import { getJson } from "../lib/api.js";
import { chart, someTicks } from "../lib/chart.js";
import { curve } from "../lib/curve.js";
import { el } from "../lib/dom.js";
import { downloads } from "../lib/download.js";
import { ago, number, partText, quantity as withUnit, unitText } from "../lib/format.js";
import { card, none, note, segments, select, table } from "../lib/parts.js";
import { addressOf, go } from "../lib/place.js";
import { hasText, t } from "../lib/text.js";
import { newestWords, stateChip } from "./devices.js";

const SPANS = { "1": 1, "7": 7, "30": 30, "366": 366 };
const LONG = 2000; // points beyond which a chart is drawn on a canvas

export async function device(root, context) {
  const { city, levels, query, signal } = context;
  const base = `/v1/cities/${encodeURIComponent(city.id)}/devices/${encodeURIComponent(levels[0])}`;
  const found = await getJson(base, signal);
  const { device: d } = found;
  const quantities = d.withheld ? [] : d.quantities;
  const chosen = quantities.includes(query.quantity) ? query.quantity : quantities[0];
  const days = SPANS[query.days] ?? 7;
  document.title = `${d.site || d.id} · ${city.name}`;
  const curves = el("div");
  root.append(
    el("nav", { class: "crumbs", "aria-label": t("crumbs") }, el("a", { href: addressOf(city.id, ["devices"]) }, t("view.devices")), " › ", d.id),
    el("div", { class: "row view-head" }, el("h1", {}, el("bdi", {}, d.site || d.id), `: ${t(`device.answer.${d.state}`)}`), stateChip({ ...d, suspect_days: found.suspect_days })),
    el("p", { class: "muted" }, `${t(`kind_of.${d.kind}`)} · ${d.id} · ${d.heard ? t("now.newest", { ago: ago(Date.parse(found.at) - Date.parse(d.heard)) }) : t("devices.never")}`),
    d.withheld ? note("off", t("devices.withheld"), t("device.withheld_why")) : "",
    found.suspect_days ? note("watch", t("look.suspect", { site: d.site || d.id }), t("look.suspect.more", { n: found.suspect_days })) : "",
    el("div", { class: "grid" }, sized(card(t("device.curves"), null, choosers(context, found, chosen, days), curves), "c8"), sized(el("div", { class: "stack-cards" }, nowCard(d), gapsCard(context, found), calibrationCard(found)), "c4"), sized(recordsCard(context, found), "c6"), sized(registryCard(found), "c6")),
  );
  if (!chosen) return curves.append(none(t(d.withheld ? "devices.withheld" : "reason.no_data")));
  const from = new Date(Date.parse(found.at) - days * 86400000).toISOString();
  try {
    const hours = `${base}/hours?quantity=${encodeURIComponent(chosen)}&from=${encodeURIComponent(from)}`;
    curves.append(await drawn(context, found, await getJson(hours, signal)), el("p", { class: "row no-print" }, ...downloads(hours, `${d.id}-${chosen}`)));
  } catch (error) {
    if (signal.aborted) throw error;
    curves.append(none(error.message)); // the rest of the view does not need the curve
  }
}

const sized = (node, size) => (node.classList.add(size), node);

function choosers({ city, query }, { device: d }, chosen, days) {
  const to = (changes) => go(addressOf(city.id, ["d", d.id], { quantity: chosen, days, ...query, ...changes }));
  const spans = segments(t("device.span"), Object.keys(SPANS).map((id) => [id, t(`device.days.${id}`)]), String(days), (id) => to({ days: id }));
  if (d.withheld) return null;
  return el("div", { class: "row" }, d.quantities.length > 1 ? select(t("quantity"), d.quantities.map((q) => [q, partText(q)]), chosen, (q) => to({ quantity: q })) : null, spans);
}

async function drawn({ clock, city }, { device: d }, h) {
  const start = Date.parse(h.start);
  const at = (i) => start + i * h.step_s * 1000;
  const flags = h.flagged.reduce((a, b) => a + b, 0);
  const name = t("device.chart", { quantity: partText(h.quantity), site: d.site || d.id, from: clock.day(at(0)), to: clock.day(at(h.value.length - 1)) });
  const words = (i) => `${clock.full(at(i))}: ${h.value[i] === null ? t("no_value") : withUnit(h.value[i], h.unit)}${h.flagged[i] ? ` · ${t("flagged", { n: h.flagged[i] })}` : ""}${h.others?.[i] != null ? ` · ${t("device.others_read", { value: withUnit(h.others[i], h.unit) })}` : ""}`;
  const series = [
    ...(h.others ? [{ name: t("device.others"), label: t("device.others"), values: h.others, ghost: true }] : []),
    { name: d.site || d.id, label: d.site || d.id, values: h.value, tone: "1" },
  ];
  const options = { name, unit: `${unitText(h.unit) || partText(h.quantity)}, ${t("device.hourly")}`, series, words, height: 260, x: { ticks: h.value.length > 48 ? days(h.value.length, (i) => clock.short(at(i))) : someTicks(h.value.length, (i) => clock.time(at(i))) } };
  const picture = h.value.length > LONG ? await curve(options, { start, step: h.step_s, timezone: city.timezone }) : chart(options);
  return el("div", { class: "stack" }, picture, flags ? el("p", { class: "small muted" }, t("device.flags", { n: flags })) : "", valuesTable(h, clock, at));
}

/** The first hours of days, at most eight of them: a tick stands where its day begins. */
function days(n, day) {
  const texts = Array.from({ length: n }, (_, i) => day(i));
  const starts = texts.flatMap((text, i) => (i && text !== texts[i - 1] ? [[i, text]] : []));
  return starts.filter((_, k) => k % Math.ceil(starts.length / 8) === 0);
}

function valuesTable(h, clock, at) {
  const box = el("details", {}, el("summary", {}, t("as_table")));
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const rows = h.value.map((v, i) => [clock.full(at(i)), v === null ? "–" : withUnit(v, h.unit), number(h.readings[i]), number(h.flagged[i])]);
    box.append(table(t("as_table"), [t("hour"), { text: t("value"), num: true }, { text: t("readings"), num: true }, { text: t("device.flagged"), num: true }], rows.toReversed().slice(0, 400)));
  });
  return box;
}

function nowCard(d) {
  const rows = Object.entries(d.newest).filter(([, r]) => r.value !== null);
  const list = rows.flatMap(([q, r]) => [el("dt", {}, partText(q)), el("dd", {}, q === "connector_state" ? newestWords({ newest: { [q]: r } }) : withUnit(r.value, r.unit))]);
  return card(t("device.newest"), null, list.length ? el("dl", { class: "facts" }, ...list) : none(t(d.withheld ? "devices.withheld" : "reason.no_data")));
}

function gapsCard({ clock }, found) {
  const rows = found.gaps.slice(-6).reverse().map((g) => el("li", {}, t("device.gap", { n: g.hours, from: clock.full(g.start), to: clock.full(g.end) })));
  return card(t("device.gaps"), null, rows.length ? el("ul", { class: "small stack" }, ...rows) : el("p", { class: "small" }, t("device.no_gaps")));
}

function calibrationCard({ registry }) {
  const rows = (registry.calibration ?? []).map((c) => [partText(c.quantity), c.valid_from, `× ${number(c.gain ?? 1, 3)}  + ${number(c.offset ?? 0, 2)}${c.humidity ? `  + ${number(c.humidity, 3)} RH` : ""}`, c.note ?? ""]);
  return card(t("device.calibration"), null, rows.length ? table(t("device.calibration"), [t("quantity"), t("since"), t("device.formula"), ""], rows) : el("p", { class: "small muted" }, t("device.no_calibration")));
}

function recordsCard({ clock }, { records, at }) {
  const rows = Object.entries(records).map(([q, r]) => [hasText(`record.${q}`) ? t(`record.${q}`) : partText(q), withUnit(r.value, r.unit), clock.near(r.at, at)]);
  const body = rows.length ? table(t("device.records"), [t("device.what"), { text: t("value"), num: true }, t("since")], rows) : el("p", { class: "small muted" }, t("device.no_records"));
  return card(t("device.records"), null, body);
}

function registryCard({ registry }) {
  const text = (value) => (Array.isArray(value) ? value.map((v) => (typeof v === "object" ? JSON.stringify(v) : partText(String(v)))).join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value));
  const rows = Object.entries(registry).filter(([name]) => name !== "calibration").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, text(value))]);
  return card(t("device.registry"), null, el("dl", { class: "pairs" }, ...rows));
}
