// How a value is made: the proof of the API as steps that can be read, down to each device.

import { getJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { number, partText, percent, unitText } from "../lib/format.js";
import { bar, chip, coded, none, sentence, table } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";

/** Fill the card with the proof of a period; it is calculated by the server while the reader waits. */
export async function derivation(view, value, period, box) {
  const waiting = el("p", { class: "muted", role: "status" }, t("proof.wait"));
  box.append(waiting);
  const query = `?format=json&period=${encodeURIComponent(period)}${view.part ? `&part=${encodeURIComponent(view.part)}` : ""}`;
  try {
    const found = await getJson(`${view.base}/explain${query}`, view.signal);
    waiting.remove();
    if (!found.derived.length) box.append(none(t("proof.nothing")));
    for (const proof of found.derived) box.append(...steps(view, proof, value));
  } catch (error) {
    if (!view.signal.aborted) waiting.textContent = error.message;
  }
}

function steps(view, proof, value) {
  const same = value && proof.value.value !== null && Math.abs(proof.value.value - (value.value ?? NaN)) <= 1e-9 * Math.max(1, Math.abs(proof.value.value));
  const used = proof.devices.filter((d) => !d.left_out);
  const out = proof.devices.filter((d) => d.left_out);
  const head = same ? chip("good", t("proof.same")) : value && value.value !== null ? chip("watch", t("proof.differs")) : null;
  const list = [
    step(t("proof.rule"), el("p", { class: "small" }, coded(proof.how)), rules(proof)),
    used.length ? step(t("proof.devices"), deviceTable(view, used, proof)) : null,
    proof.arithmetic ? step(t("proof.sum"), el("p", { class: "arithmetic" }, proof.arithmetic)) : null,
    out.length || proof.value.notes ? step(t("proof.left_out"), ...leftOut(out), el("p", { class: "small muted" }, sentence(proof.value.notes))) : null,
    proof.stored ? step(t("proof.stored"), el("p", { class: "small muted" }, sentence(local(proof.stored, view.clock)))) : null,
  ];
  return [el("div", {}, head), el("ol", { class: "steps" }, ...list.filter(Boolean)), el("p", { class: "muted small" }, t("proof.method", { method: proof.value.method }))];
}

/** The devices that do not count, those of one reason on one line. */
function leftOut(devices) {
  const reasons = new Map();
  for (const d of devices) reasons.set(d.left_out, [...(reasons.get(d.left_out) ?? []), d.site || d.device]);
  return [...reasons].map(([why, names]) => el("p", { class: "small muted" }, el("b", {}, names.join(", ")), `: ${why}`));
}

/** A text of the API with its instants in the city's own time. */
const local = (text, clock) => text.replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, (at) => clock.full(at));

const step = (title, ...content) => el("li", {}, el("h3", {}, title), ...content);

function rules(proof) {
  const known = proof.parameters.filter((q) => q.value !== null);
  if (!known.length) return null;
  const text = known.map((q) => `${q.name} = ${q.value}${q.source ? ` (${q.source})` : ""}`).join(", ");
  return el("p", { class: "code" }, text);
}

function deviceTable({ city }, devices, proof) {
  const sums = devices.some((d) => d.increase) || proof.arithmetic.startsWith("sum");
  const amount = (d) => (sums ? d.increase || d.sum : d.mean);
  const most = Math.max(...devices.map((d) => amount(d) ?? 0), 0);
  const heads = [t("device"), t("quantity"), { text: t("readings"), num: true }, { text: t("covered"), num: true }, "", { text: sums ? t("sum") : t("mean"), num: true }];
  const rows = devices.slice(0, 200).map((d) => [
    el("span", {}, el("a", { href: addressOf(city.id, ["d", d.device]) }, d.site || d.device), el("span", { class: "code block" }, [d.device, d.suspect && t("state.suspect"), ...d.calibration].filter(Boolean).join(" · "))),
    partText(d.quantity),
    `${number(d.readings, 0)}${d.flagged ? ` (${t("flagged", { n: d.flagged })})` : ""}`,
    d.capture === null ? "–" : percent(d.capture),
    el("span", { class: "wide-track" }, bar(amount(d) ?? 0, most)),
    `${number(amount(d))}`,
  ]);
  const all = devices.length > 200 ? el("p", { class: "muted small" }, t("proof.more", { n: devices.length - 200 })) : null;
  return el("div", {}, table(t("proof.devices"), heads, rows), all, el("p", { class: "unseen" }, unitText(proof.value.unit)));
}
