// Every registered device: how it is, when it was last heard, what it read; those that need a look first.

import { getJson } from "../lib/api.js";
import { el, redraw } from "../lib/dom.js";
import { downloads } from "../lib/download.js";
import { ago, NBSP, number, partText, POLLUTANTS, quantity } from "../lib/format.js";
import { chip, note, scroll, segments } from "../lib/parts.js";
import { addressOf, keep } from "../lib/place.js";
import { t } from "../lib/text.js";

const AGAIN_MS = 30000;
const SOON_MS = 3000; // a server that has just started judges its stations in the first seconds
const PAGE = 200; // rows that are drawn at once
const KIND = { ok: "good", silent: "bad", unheard: "watch", fault: "bad", suspect: "watch" };
const ORDER = ["silent", "fault", "unheard", "suspect", "ok"];
const FAULT = 3; // of connector_state

/** How a device is: silent, unheard, fault (of a charger), suspect, ok. */
export function stateOf(d) {
  if (d.state !== "ok") return d.state;
  if (d.kind === "ev_charger" && d.newest.connector_state?.value === FAULT) return "fault";
  return d.suspect_days ? "suspect" : "ok";
}
const GROUPS = { air: (d) => d.kind.startsWith("air"), meters: (d) => d.kind.endsWith("_meter"), chargers: (d) => d.kind === "ev_charger" };

export async function devices(root, context) {
  const { city, query, signal } = context;
  const path = `/v1/cities/${encodeURIComponent(city.id)}/devices`;
  const state = { found: await getJson(path, signal), show: query.show ?? "all", find: query.find ?? "", rows: PAGE };
  const draw = () => redraw(root, () => render(root, context, state, draw));
  draw();
  const again = async () => {
    const found = await getJson(path, signal).catch(() => null);
    if (!found || root.contains(document.activeElement)) return;
    state.found = found;
    draw();
  };
  const timers = [setInterval(again, AGAIN_MS), state.found.judged ? 0 : setTimeout(again, SOON_MS)];
  signal.addEventListener("abort", () => timers.forEach((timer) => clearInterval(timer)));
}

function render(root, context, state, draw) {
  const { counts, unregistered } = state.found;
  const all = state.found.devices.toSorted((a, b) => ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b)));
  const trouble = all.filter((d) => stateOf(d) !== "ok").length;
  const choices = ["all", "trouble", ...Object.keys(GROUPS)].map((id) => [id, `${t(`devices.show.${id}`)} ${number(count(all, id))}`]);
  const choose = (show) => {
    Object.assign(state, { show, rows: PAGE });
    keep({ show: show === "all" ? "" : show });
    draw();
  };
  const found = el("div", { class: "stack" });
  const counted = el("span", { class: "muted small", role: "status" });
  const fill = () => {
    const shown = all.filter((d) => matches(d, state));
    counted.textContent = t("devices.count", { n: shown.length, all: all.length });
    const more = shown.length > state.rows ? el("button", { type: "button", class: "button", onclick: () => ((state.rows += PAGE), fill()) }, t("devices.more", { n: shown.length - state.rows })) : "";
    found.replaceChildren(el("div", { class: "card flush" }, list(context, state, shown.slice(0, state.rows))), more);
  };
  const find = el("input", { type: "search", placeholder: t("devices.find"), "aria-label": t("devices.find"), value: state.find, oninput: (event) => {
    Object.assign(state, { find: event.target.value, rows: PAGE });
    keep({ find: state.find });
    fill();
  } });
  fill();
  const path = `/v1/cities/${encodeURIComponent(context.city.id)}/devices`;
  root.replaceChildren(
    el("div", { class: "row between view-head" }, el("div", {}, el("h1", {}, answer(all.length, trouble)), el("p", { class: "muted" }, t("devices.about", { n: counts.ok, city: context.city.name }))), el("div", { class: "row" }, el("a", { class: "button", href: `/admin?city=${encodeURIComponent(context.city.id)}` }, t("devices.admin")), ...downloads(path, `${context.city.id}-devices`))),
    ...unregistered.map((u) => note("watch", t("look.unregistered", { device: u.id }), t(u.nearest ? "look.unregistered.more" : "look.unregistered_far.more", { since: context.clock.near(u.heard, state.found.at), nearest: u.nearest }))),
    el("div", { class: "row filters" }, segments(t("devices.show"), choices, state.show, choose), find, counted),
    found,
  );
}

function answer(all, trouble) {
  if (!all) return t("empty.devices");
  return trouble ? t("devices.answer", { n: trouble, all }) : t("look.well", { n: all });
}

const count = (all, id) => all.filter((d) => matches(d, { show: id, find: "" })).length;

function matches(d, { show, find }) {
  if (show === "trouble" && stateOf(d) === "ok") return false;
  if (GROUPS[show] && !GROUPS[show](d)) return false;
  return !find || `${d.site} ${d.id} ${d.kind}`.toLowerCase().includes(find.toLowerCase());
}

/** The newest values of a device in words. */
export function newestWords(device) {
  const values = Object.entries(device.newest).filter(([, r]) => r.value !== null);
  return values.map(([q, r]) => (q === "connector_state" ? t(`use.${["free", "plugged", "charging", "fault"][Math.min(r.value, 3)]}`) : `${POLLUTANTS[q] ?? partText(q)}${NBSP}${quantity(r.value, r.unit)}`)).join(" · ");
}

/** State of a device as a chip. */
export const stateChip = (device) => chip(KIND[stateOf(device)], t(`device.${stateOf(device)}`));

/** What is wrong with it, in a sentence; empty where nothing is. */
function wrong(d, clock, now) {
  const state = stateOf(d);
  if (state === "ok" || state === "unheard") return "";
  const kind = state === "silent" ? "map.silent_since" : `devices.why.${state}`;
  return t(kind, { at: clock.near(d.heard, now), n: d.suspect_days, device: d.id });
}

function list({ city, clock, status }, state, rows) {
  const heads = ["state", "device", "wrong", "heard", "values"];
  const row = (d) =>
    el(
      "tr",
      {},
      el("td", {}, stateChip(d)),
      el("th", { scope: "row" }, el("a", { href: addressOf(city.id, ["d", d.id]) }, el("bdi", {}, d.site || d.id)), el("span", { class: "code block" }, `${d.id} · ${t(`kind_of.${d.kind}`)}`)),
      el("td", {}, wrong(d, clock, state.found.at)),
      el("td", {}, d.heard ? ago(status.now() - Date.parse(d.heard)) : t("devices.never")),
      el("td", { class: "muted" }, newestWords(d) || (d.withheld ? t("devices.withheld") : "–")),
    );
  return scroll(t("view.devices"), el("table", { class: "dense devices" }, el("caption", { class: "unseen" }, t("view.devices")), el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col" }, t(`devices.head.${h}`))))), el("tbody", {}, ...rows.map(row))));
}
