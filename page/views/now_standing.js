// Now: what needs a look, and how the 91 indicators stand.

import { el } from "../lib/dom.js";
import { number, percent } from "../lib/format.js";
import { card, glyph, none } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";
import { sized } from "./now_air.js";

const SHOWN = 5;

/** What is wrong with a device, in words: head and sentence. */
export function finding(row, clock, now) {
  const places = { site: row.site || row.device, device: row.device, since: row.since ? clock.near(row.since, now) : "", n: row.days ?? 0, nearest: row.nearest ?? "" };
  const key = row.kind === "unregistered" && !row.nearest ? "unregistered_far" : row.kind;
  return [t(`look.${row.kind}`, places), t(`look.${key}.more`, places)];
}

export function lookCard({ city, clock }, found) {
  const rows = found.attention.slice(0, SHOWN).map((row) => {
    const [head, more] = finding(row, clock, found.at);
    const to = row.kind === "unregistered" ? addressOf(city.id, ["devices"]) : addressOf(city.id, ["d", row.device]);
    return el("li", {}, el("span", { class: "sign", "data-kind": row.severity }, glyph(row.severity)), el("a", { href: to }, head), el("span", { class: "muted small" }, more));
  });
  const rest = found.attention.length - rows.length;
  const body = rows.length ? el("ul", { class: "look" }, ...rows) : el("p", { class: "well" }, el("span", { class: "sign", "data-kind": "good" }, glyph("good")), t("look.well", { n: found.devices.total }));
  const node = card(t("now.look.title"), [t("now.look.all"), addressOf(city.id, ["devices"])], found.devices.total ? body : none(t("empty.devices")), rest > 0 ? el("p", { class: "muted small" }, t("now.look.rest", { n: rest })) : null);
  if (found.attention.some((row) => row.severity === "bad")) node.classList.add("urgent");
  return sized(node, "c4");
}

export function standingCard({ city }, { standing: s }) {
  const points = s.groups.flatMap((g) => g.points);
  const figures = [
    [points.filter((p) => p === 4).length, "standing.on"],
    [points.filter((p) => p !== null && p > 0 && p < 4).length, "standing.not"],
    [s.summary.derived, "standing.live"],
    [s.summary.kpis - s.summary.with_value, "standing.without"],
  ];
  return sized(
    card(
      t("now.standing.title"),
      [t("now.standing.link"), addressOf(city.id, ["indicators"])],
      el("div", { class: "big" }, ...figures.map(([n, key]) => el("p", {}, el("b", {}, number(n)), el("span", { class: "muted small" }, t(key, { n }))))),
      el("ul", { class: "rows" }, ...s.groups.map(group)),
      legend(),
    ),
    "c5",
  );
}

function group(g) {
  const sorted = [...g.points].sort((a, b) => (b ?? -1) - (a ?? -1));
  const known = g.points.filter((p) => p !== null).length;
  return el(
    "li",
    {},
    el("span", {}, t(`sub.${g.name}`)),
    el("span", { class: "cells", "aria-hidden": "true" }, ...sorted.map((p) => el("i", { "data-points": p === null ? "none" : String(p) }))),
    el("b", { class: "num", title: t("standing.share.title") }, g.share === null ? "–" : percent(g.share)),
    el("span", { class: "unseen" }, t("standing.group", { known, all: g.points.length })),
  );
}

/** What the colours of the four bands mean; `points`: how many of each there are is said. */
export function legend(points = null) {
  const count = (p) => (points === null ? "" : el("b", {}, number(points.filter((q) => String(q ?? "none") === p).length)));
  return el("p", { class: "legend" }, ...["4", "3", "2", "1", "0", "none"].map((p) => el("span", {}, el("i", { class: "swatch", "data-points": p }), count(p), t(`perf.${p}`))));
}
