// Compare: where the city stands among others. A heat map of blocks, and figure by figure beside a twin.

import { getJson } from "../lib/api.js";
import { el, redraw, svg } from "../lib/dom.js";
import { downloads } from "../lib/download.js";
import { byName, number, partText, percent, unitText } from "../lib/format.js";
import { card, folded, none, scroll, select } from "../lib/parts.js";
import { labels } from "../lib/period.js";
import { addressOf, go, keep } from "../lib/place.js";
import { t } from "../lib/text.js";
import { legend } from "./now_standing.js";

const MANY = 100; // cities: of more, those of the city's group are compared

export async function compare(root, context) {
  const { city, query, signal } = context;
  const asked = new URLSearchParams(query.year ? { period: query.year } : {});
  if (context.cities.length > MANY) asked.set("near", city.id);
  const found = await getJson(`/v1/compare?${asked}`, signal);
  const state = { sort: query.sort ?? "", cell: query.cell ?? "", twin: query.twin ?? found.cities.find((c) => c.id !== city.id)?.id };
  const body = el("div", { class: "stack-l" });
  const draw = () => {
    keep({ sort: state.sort, cell: state.cell, twin: found.cities.length > 1 ? state.twin : "" });
    redraw(body, () => body.replaceChildren(chosenCell(context, found, state), heatMap(context, found, state, draw), twinCard(context, found, state, draw)));
  };
  const mine = found.cities.findIndex((c) => c.id === city.id);
  const answer = mine < 0 || found.cities.length < 2 || found.cities[mine].share === null ? t("compare.no_place", { city: city.name }) : t("compare.answer", { city: city.name, place: mine + 1, n: found.cities.length });
  const years = [...new Set([found.period, ...labels(city, "year"), ...[1, 2, 3].map((n) => String(Number(found.period) - n))])].sort().reverse();
  root.append(
    el("div", { class: "row between view-head" }, el("div", {}, el("h1", {}, answer), el("p", { class: "muted" }, t("compare.about", { year: found.period }), context.cities.length > MANY ? ` ${t(found.group ? "compare.group" : "compare.like_size", { n: found.cities.length, group: found.group })}` : "")), el("div", { class: "row" }, select(t("kind.year"), years.map((y) => [y, y]), found.period, (y) => go(`/compare?city=${encodeURIComponent(city.id)}&year=${y}`)), ...downloads(`/v1/compare?${asked}`, `comparison-${found.period}`))),
    legend(),
    body,
  );
  draw();
}

const band = (share) => (share === null ? "none" : share > 0.95 ? "4" : share >= 0.66 ? "3" : share >= 0.33 ? "2" : "1");
const score = (share) => (share === null ? "·" : String(Math.round(share * 100)));

function heatMap({ city, cities }, found, state, draw) {
  const at = Number(state.sort);
  const sorted = state.sort === "" || !found.blocks[at] ? found.cities : [...found.cities].sort((a, b) => (b.blocks[at] ?? -1) - (a.blocks[at] ?? -1));
  const spans = [];
  for (const { sub } of found.blocks) (spans.at(-1)?.sub === sub ? (spans.at(-1).n += 1) : spans.push({ sub, n: 1 }));
  const sortBy = (i) => el("button", { type: "button", class: "turned", "aria-pressed": String(String(i) === state.sort), onclick: () => ((state.sort = state.sort === String(i) ? "" : String(i)), draw()) }, found.blocks[i].name);
  const cell = (share, id, i) => el("td", { "data-points": band(share), class: "heat" }, id ? el("button", { type: "button", "aria-label": t("compare.cell", { block: found.blocks[i].name, city: nameOf(found, id), share: share === null ? t("no_value") : percent(share) }), "aria-pressed": String(state.cell === `${id},${i}`), onclick: () => ((state.cell = `${id},${i}`), draw()) }, score(share)) : score(share));
  const head = el("thead", {}, el("tr", {}, el("td", {}), ...spans.map((s) => el("th", { colspan: s.n, scope: "colgroup", title: t(`sub.${s.sub}`) }, t(`sub.${s.sub}`))), el("td", {})), el("tr", {}, el("th", { scope: "col" }, t("compare.of_target")), ...found.blocks.map((_, i) => el("th", { scope: "col" }, sortBy(i))), el("th", { scope: "col", class: "num" }, t("compare.all"))));
  const region = found.cities.length > 1 ? [["compare.mean", found.mean], ["compare.people", found.by_people]] : [];
  const rows = [
    ...region.map(([key, shares]) => el("tr", { class: "region" }, el("th", { scope: "row" }, t(key)), ...shares.map((s, i) => cell(s, "", i)), el("td", { class: "num" }, percentOr(meanOf(shares))))),
    ...sorted.map((c) => el("tr", { class: c.id === city.id ? "own" : null }, el("th", { scope: "row" }, el("a", { href: addressOf(c.id, ["indicators"], { period: found.period }) }, el("bdi", {}, c.name))), ...c.blocks.map((s, i) => cell(s, c.id, i)), el("td", { class: "num" }, el("b", {}, percentOr(c.share))))),
  ];
  const few = cities.length < 2 ? none(t("compare.one")) : null;
  return el("div", { class: "card flush" }, few, scroll(t("compare.table"), el("table", { class: "heat-map" }, el("caption", { class: "unseen" }, t("compare.table")), head, el("tbody", {}, ...rows))));
}

const percentOr = (share) => (share === null ? "–" : percent(share));
const nameOf = (found, id) => found.cities.find((c) => c.id === id)?.name ?? id;

function meanOf(shares) {
  const known = shares.filter((s) => s !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

/** One cell among all cities: dots on a line, the quartiles behind them, and who leads. */
function chosenCell({ city }, found, state) {
  const [id, index] = state.cell ? state.cell.split(",") : [city.id, String(Math.max(0, found.blocks.findIndex((_, i) => own(found, city.id)?.blocks[i] != null)))];
  const i = Number(index);
  const chosen = own(found, id);
  if (!chosen || !found.blocks[i]) return "";
  const known = found.cities.filter((c) => c.blocks[i] !== null).sort((a, b) => b.blocks[i] - a.blocks[i]);
  const share = chosen.blocks[i];
  const title = el("div", {}, el("h2", {}, `${found.blocks[i].name}: `, el("bdi", {}, chosen.name)), share === null ? none(t("compare.no_score")) : el("p", { class: "word" }, percent(share), el("span", { class: "muted small" }, ` ${t("compare.place", { place: known.filter((c) => c.blocks[i] > share).length + 1, n: known.length })}`)));
  const practice = known.find((c) => c.practices[i]);
  const leader = known[0] ? el("div", { class: "small stack" }, el("p", {}, leading(known, i)), practice ? el("p", {}, t("compare.practice", { city: practice.name }), " ", el("q", {}, practice.practices[i])) : "") : null;
  return el("section", { class: "card cell-card", "aria-label": t("compare.chosen") }, title, dots(known, chosen, i), leader);
}

/** Who is first in a block: one city, several with the same share, or the only one that has a share. */
function leading(known, i) {
  const first = known.filter((c) => c.blocks[i] === known[0].blocks[i]);
  const places = { city: first[0].name, n: first.length, share: percent(first[0].blocks[i]) };
  return t(known.length === 1 ? "compare.alone" : first.length > 1 ? "compare.lead_shared" : "compare.leads", places);
}

const own = (found, id) => found.cities.find((c) => c.id === id);

function dots(known, chosen, i) {
  const x = (share) => 20 + share * 360;
  const values = known.map((c) => c.blocks[i]).sort((a, b) => a - b);
  const at = (q) => values[Math.floor(q * (values.length - 1))] ?? 0;
  return svg(
    "svg",
    { viewBox: "0 0 400 52", class: "dots", role: "img", "aria-label": t("compare.dots", { n: known.length, low: percent(at(0)), middle: percent(at(0.5)), high: percent(at(1)) }) },
    svg("rect", { class: "quartiles", x: x(at(0.25)), y: 12, width: Math.max(2, x(at(0.75)) - x(at(0.25))), height: 18, rx: 4 }),
    svg("line", { class: "axis", x1: 20, x2: 380, y1: 34, y2: 34 }),
    ...[0.33, 0.66, 0.95].map((share) => svg("line", { class: "axis", x1: x(share), x2: x(share), y1: 31, y2: 37 })), // where a band begins
    ...[0, 0.33, 0.66, 1].map((share) => svg("text", { x: x(share), y: 48, "text-anchor": "middle" }, percent(share))),
    ...known.map((c) => svg("circle", { class: c === chosen ? "own-dot" : "other-dot", cx: x(c.blocks[i]), cy: 21, r: c === chosen ? 7 : 4 }, svg("title", {}, c.name))),
  );
}

/** Where the twin is ahead, figure by figure; only like with like. */
function twinCard({ city }, found, state, draw) {
  const others = found.cities.filter((c) => c.id !== city.id).sort(byName((c) => c.name));
  if (!others.length) return "";
  const twin = others.find((c) => c.id === state.twin) ?? others[0];
  const both = found.figures.filter((line) => line.values[city.id] != null && line.values[twin.id] != null);
  const like = both.filter((line) => line.ranks[city.id] && line.ranks[twin.id]);
  const ahead = like.filter((line) => line.ranks[twin.id] < line.ranks[city.id]).sort((a, b) => gap(b, city, twin) - gap(a, city, twin));
  const heads = [t("indicators.head.name"), { text: city.name, num: true }, { text: twin.name, num: true }, t("indicators.head.unit")];
  const rows = ahead.map((line) => [el("a", { href: addressOf(city.id, ["k", line.code, line.part], { period: found.period }) }, line.part ? `${line.name}: ${partText(line.part)}` : line.name), number(line.values[city.id]), number(line.values[twin.id]), unitText(line.unit)]);
  const node = card(t("compare.twin", { city: twin.name, n: ahead.length }), null, el("div", { class: "row" }, select(t("compare.with", { city: city.name }), others.map((c) => [c.id, c.name]), twin.id, (id) => ((state.twin = id), draw()))), el("p", { class: "muted small" }, t("compare.like", { n: like.length, all: both.length })));
  node.append(rows.length ? folded(t("compare.twin", { city: twin.name, n: ahead.length }), heads, rows, 12, { class: "twin" }) : none(t("compare.not_ahead", { city: twin.name })));
  return node;
}

const gap = (line, a, b) => Math.abs(line.values[a.id] - line.values[b.id]) / Math.max(Math.abs(line.values[a.id]), Math.abs(line.values[b.id]), 1e-9);
