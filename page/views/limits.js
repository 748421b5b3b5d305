// A value on the scale of its limits: guideline, law, the city's own target.

import { getJson } from "../lib/api.js";
import { el, svg } from "../lib/dom.js";
import { number, unitText } from "../lib/format.js";
import { kindOf } from "../lib/period.js";
import { t } from "../lib/text.js";

/** The scale, or null where nothing is to be compared. */
export async function scaleOf({ base, part, signal }, value, period) {
  const query = `?kind=${kindOf(period)}${part ? `&part=${encodeURIComponent(part)}` : ""}`;
  const { limits } = await getJson(`${base}/limits${query}`, signal);
  const mine = limits.filter((l) => l.unit === value.unit);
  if (!mine.length) return null;
  const top = Math.max(value.value, ...mine.map((l) => l.value)) * 1.12 || 1;
  const x = (v) => 20 + (v / top) * 440;
  const picture = svg("svg", { viewBox: "0 0 480 84", class: "limits", role: "img", "aria-label": mine.map((l) => t(`limit.${l.id}`, { value: number(l.value) })).join("; ") });
  picture.append(svg("rect", { class: "limits-bar", x: 20, y: 30, width: 440, height: 12, rx: 2 }), svg("rect", { class: "limits-fill", x: 20, y: 30, width: x(value.value) - 20, height: 12, rx: 2 }));
  for (const [i, l] of [...mine].sort((a, b) => a.value - b.value).entries()) {
    const low = i % 2 ? 78 : 62;
    const end = x(l.value) > 330;
    picture.append(svg("line", { class: "limits-line", x1: x(l.value), x2: x(l.value), y1: 26, y2: low - 10 }), svg("text", { x: x(l.value) + (end ? -4 : 4), y: low, "text-anchor": end ? "end" : "start" }, t(`limit.${l.id}`, { value: number(l.value) })));
  }
  picture.append(svg("path", { class: "limits-value", d: `M${x(value.value) - 6} 18h12l-6 10z` }), svg("text", { class: "limits-number", x: x(value.value), y: 14, "text-anchor": "middle" }, number(value.value)));
  return el("div", {}, picture, el("p", { class: "small" }, said(mine, value)));
}

/** How the value stands to the strictest limit, in a sentence. */
function said(limits, value) {
  const first = [...limits].sort((a, b) => (a.better === "lower" ? a.value - b.value : b.value - a.value))[0];
  const apart = Math.abs(value.value - first.value);
  const met = first.better === "lower" ? value.value <= first.value : value.value >= first.value;
  return t(met ? "limit.met" : first.better === "lower" ? "limit.apart" : "limit.below", { limit: t(`limit.${first.id}`, { value: number(first.value) }), apart: `${number(apart)} ${value.unit.startsWith("%") ? t("limit.points") : unitText(value.unit)}`.trim() });
}
