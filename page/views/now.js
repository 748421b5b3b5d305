// Now: what matters in the city at this moment, each with its trend and how sure it is. Follows changes as they come.

import { getJson } from "../lib/api.js";
import { byId, el, redraw } from "../lib/dom.js";
import { ago, percent } from "../lib/format.js";
import { addressOf } from "../lib/place.js";
import { rich, t } from "../lib/text.js";
import { airCard, bandWord, yearCard } from "./now_air.js";
import { chargingCard } from "./now_charging.js";
import { powerCard } from "./now_power.js";
import { lookCard, standingCard } from "./now_standing.js";

const CALM_MS = 60000; // a list that changes is announced at most once a minute
const GATHER_MS = 1500; // changes that come together are fetched together

export async function now(root, context) {
  const { city, status, signal } = context;
  const path = `/v1/cities/${encodeURIComponent(city.id)}/now`;
  const load = () => getJson(path, signal);
  const state = { found: await load(), timer: null, announced: 0 };
  draw(root, context, state.found);
  if (state.found.devices.total) status.values(state.found);
  const again = () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(async () => {
      const found = await load().catch(() => null);
      if (!found || signal.aborted) return;
      if (!found.judged) again(); // a server that has just started has not determined yet which stations are suspect
      announce(state, found);
      state.found = found;
      if (found.devices.total) status.values(found);
      redraw(root, () => draw(root, context, found));
    }, GATHER_MS);
  };
  signal.addEventListener("abort", () => clearTimeout(state.timer));
  context.onChange(again);
  if (!state.found.judged) again();
}

function announce(state, found) {
  const before = state.found.attention.length;
  if (found.attention.length === before || performance.now() - state.announced < CALM_MS) return;
  state.announced = performance.now();
  byId("announce").textContent = t("now.attention", { n: found.attention.length });
}

function draw(root, context, found) {
  const cards = [airCard(context, found), powerCard(context, found), chargingCard(context, found), lookCard(context, found), yearCard(context, found), standingCard(context, found)];
  root.replaceChildren(about(context, found), el("h1", { class: "answer" }, ...answer(context, found)), el("div", { class: "grid" }, ...cards.filter(Boolean)));
}

function about({ clock, status }, found) {
  const parts = [clock.long(found.at)];
  if (found.newest_reading) parts.push(t("now.newest", { ago: ago(status.now() - Date.parse(found.newest_reading)) }));
  parts.push(t("now.reporting", { n: found.devices.total, ok: found.devices.ok }));
  return el("p", { class: "muted small" }, parts.join(" · "));
}

/** The heading is the answer: one whole sentence for what is known and what is not. */
function answer({ city, clock }, found) {
  if (!found.devices.total) return [t("now.hero.empty", { city: city.name })];
  const band = found.air?.band ?? null;
  const change = found.electricity?.change ?? null;
  const look = found.attention.length;
  const mark = (words, kind) => el("mark", { "data-kind": kind }, words);
  const places = {
    band: band === null ? "" : el("mark", { "data-band": band }, bandWord(band)),
    change: change === null ? "" : mark(percent(Math.abs(change)), "power"),
    weekday: clock.weekday(Date.parse(found.at) - 7 * 86400000),
    look: look ? mark(t("now.things", { n: look }), "watch") : "",
    city: city.name,
  };
  const air = band === null ? "noair" : "air";
  const load = change === null ? "none" : Math.abs(change) < 0.005 ? "same" : change > 0 ? "more" : "less";
  return rich(`now.hero.${air}.${load}.${look ? "look" : "well"}`, places);
}

export const mapOf = (city, show) => addressOf(city.id, ["map"], { show });
