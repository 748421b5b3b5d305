// The small parts that all views share: status, coverage, trend, "no value", choices, notes, tables.

import { el, svg } from "./dom.js";
import { number, percent } from "./format.js";
import { hasText, t } from "./text.js";

const GLYPHS = {
  good: "M2 6.5 5 9.5 10 3", watch: "M6 2v5M6 9.6v.4", bad: "M3 3l6 6M9 3 3 9", off: "M2.5 6h7", live: "M1 6h2l1.5-4 3 8L9 6h2",
};

/** A glyph of a state; the word beside it says the same. */
export function glyph(kind) {
  const path = svg("path", {
    d: GLYPHS[kind] ?? GLYPHS.off, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round",
  });
  return svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, path);
}

/** A chip: good, watch, bad or off, with a word. */
export const chip = (kind, words, title = null) => el("span", { class: "chip", "data-kind": kind, title }, glyph(kind), words);

const STATUS = { final: "good", provisional: "off", partial: "watch", insufficient: "watch", not_applicable: "off", missing: "off" };

/** The status of a value as a chip. */
export const status = (name) => chip(STATUS[name] ?? "off", t(`status.${name}`), hasText(`status.${name}.title`) ? t(`status.${name}.title`) : null);

/** The reason why a value is missing or partial, from the API's code; the notes where there is no code. */
export function reason(code, notes = "") {
  if (code && hasText(`reason.${code}`)) return t(`reason.${code}`);
  return notes ? sentence(notes) : t("reason.unknown");
}

/** A text with a capital letter and a full stop. */
export const sentence = (text) => (text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");

/** The coverage meter: bar, mark at what the city needs, and the number in words. */
export function coverage(share, needed = 0.75, words = "") {
  const bar = el("i", { class: "meter", "aria-hidden": "true", "--share": `${share * 100}%`, "--needed": `${needed * 100}%`, "data-low": share < needed });
  const text = words ? t("coverage.of", { share: percent(share), what: words }) : t("coverage", { share: percent(share) });
  return el("span", { class: "coverage", title: t("coverage.title", { needed: percent(needed) }) }, bar, text);
}

/** A change with its base in words; `better`: true, false, or null where no direction is known. */
export function trend(change, words, better = null) {
  const arrow = Math.abs(change) < 0.005 ? "→" : change > 0 ? "▲" : "▼";
  return el("span", { class: "trend", "data-better": better === null ? "none" : String(better) }, el("span", { "aria-hidden": "true" }, arrow), words);
}

/** What stands in the place of a value that does not exist. */
export const none = (why, ...more) => el("p", { class: "none" }, why, more.length ? " " : "", ...more);

/** Up to five exclusive choices as buttons. */
export function segments(label, options, chosen, choose) {
  const box = el("div", { class: "segments", role: "group", "aria-label": label });
  const press = (id) => {
    for (const button of box.children) button.setAttribute("aria-pressed", String(button.dataset.id === id));
    choose(id);
  };
  box.append(...options.map(([id, words]) => el("button", { type: "button", "data-id": id, "aria-pressed": String(id === chosen), onclick: () => press(id) }, words)));
  requestAnimationFrame(() => {
    const pressed = box.querySelector('[aria-pressed="true"]');
    if (pressed) box.scrollLeft += Math.max(0, pressed.getBoundingClientRect().right - box.getBoundingClientRect().right); // a phone shows a part
  });
  return box;
}

/** A labelled list of choices. */
export function select(label, options, chosen, choose, attributes = {}) {
  const list = el("select", { ...attributes, onchange: (event) => choose(event.target.value) }, ...options.map(([id, words]) => el("option", { value: id, selected: id === chosen }, words)));
  return el("label", { class: "inline" }, el("span", {}, label), list);
}

/** A note with a bold head: what is, and what happens next. */
export const note = (kind, head, ...more) => el("div", { class: "note", "data-kind": kind }, el("p", {}, el("b", {}, head), more.length ? " " : "", ...more));

/** A card with a heading and, if wanted, one link to the proof. */
export function card(title, link, ...children) {
  const id = `card-${(counter.next += 1)}`;
  const head = el("header", {}, el("h2", { id }, title), link ? el("a", { href: link[1] }, link[0]) : null);
  return el("section", { class: "card", "aria-labelledby": id }, head, ...children);
}
const counter = { next: 0 };

/** A real table: head cells, rows of cells (text or nodes); the first cell of a row is its head. */
export function table(caption, heads, rows, attributes = {}) {
  const head = el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col", class: h.num ? "num" : null }, h.text ?? h))));
  const body = el("tbody", {}, ...rows.map((cells) => row(cells, heads)));
  return scroll(caption, el("table", attributes, el("caption", { class: "unseen" }, caption), head, body));
}

function row(cells, heads) {
  return el("tr", {}, ...cells.map((cell, i) => el(i ? "td" : "th", { scope: i ? null : "row", class: heads[i]?.num ? "num" : null }, cell)));
}

/** A long table: the first rows, and a button that shows all of them. */
export function folded(caption, heads, rows, shown, attributes = {}) {
  if (rows.length <= shown) return table(caption, heads, rows, attributes);
  const box = el("div", { class: "stack" });
  const all = button(t("show_all", { n: rows.length }), () => {
    box.replaceChildren(table(caption, heads, rows, attributes));
    box.querySelector(".scroll").focus();
  });
  box.append(table(caption, heads, rows.slice(0, shown), attributes), el("div", {}, all));
  return box;
}

/** A box that scrolls sideways and can be scrolled by keyboard. */
export const scroll = (name, ...children) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, ...children);

/** A bar on a scale whose limit stands at a fixed place, so that rows compare. */
export function track(value, limit, at = 0.5) {
  const share = limit ? Math.min((value / limit) * at, 1) : 0;
  return el("span", { class: "track", "aria-hidden": "true", "--share": `${share * 100}%`, "--limit": `${at * 100}%`, "data-over": value > limit });
}

/** A bar from 0 to the largest of its column; nothing limits it. */
export const bar = (value, most) => el("span", { class: "track", "data-plain": "", "aria-hidden": "true", "--share": `${most ? Math.min(value / most, 1) * 100 : 0}%` });

/** A button. */
export const button = (words, press, kind = "") => el("button", { type: "button", class: `button ${kind}`, onclick: press }, words);

/** A text in which `names` of settings stand between backticks, as in the documents. */
export const coded = (text) => text.split("`").map((piece, i) => (i % 2 ? el("code", {}, piece) : piece));

/** Grey shapes in the size of what is loading, shown after 200 ms. */
export const bones = (lines = 4) => el("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: lines }, () => el("i")));

/** A count in words and its unit of things: "14 of 16 meters". */
export const outOf = (n, total) => `${number(n, 0)}/${number(total, 0)}`;
