// The live page: load a city once, then follow its changes.

import { Air, choice } from "./air.js";
import { follow, getJson } from "./api.js";
import { Cards } from "./cards.js";
import { byId, el, setText } from "./dom.js";
import { askForToken } from "./entry.js";
import { clockOf } from "./format.js";
import { links } from "./frame.js";
import { Panels } from "./panels.js";
import { offerSnapshot } from "./snapshot.js";
import { Status } from "./status.js";
import { kindOf, KINDS, Values } from "./values.js";

const CALM_MS = 60000; // at most one announcement a minute for screen readers

const LOOK_MS = 60000;

const address = new URL(location.href);
const parts = { cards: new Cards(), air: new Air(), panels: new Panels() };
let kind = KINDS.some((k) => k.id === address.searchParams.get("period")) ? address.searchParams.get("period") : "24h";

async function start() {
  const [cities, catalogue] = await Promise.all([served(), getJson("/v1/catalogue")]);
  if (!cities.length)
    throw new Error("There is no city in the store yet. Start one, or replay its readings; this page then shows it.");
  const city = cities.find((c) => c.id === address.searchParams.get("city")) ?? cities[0];
  offerCities(cities, city);
  links(city.id, "");
  const detail = await getJson(`/v1/cities/${encodeURIComponent(city.id)}`);
  const clock = clockOf(city.timezone);
  const status = new Status(clock);
  const context = {
    values: new Values(city.id),
    catalogue: new Map(catalogue.map((entry) => [entry.code, entry])),
    rule: detail.rules.period_capture,
    clock,
    now: () => status.now(),
  };
  headline(detail, clock, status);
  status.city(detail);
  setInterval(() => lookAgain(city.id, status, clock), LOOK_MS);
  offerPeriods(context);
  follow(city.id, {
    snapshot: (data) => take(context, status, data, true),
    kpis: (data) => take(context, status, data, false),
    alive: (data) => status.alive(data),
    lost: () => status.lost(),
    denied: () => location.reload(), // the token is no longer valid: the page asks for another
  });
}

/** The cities this token reaches. One for a single city does not list them: then the address says which. */
async function served() {
  const wanted = address.searchParams.get("city");
  return getJson("/v1/cities").catch(async (error) => {
    if (error.status !== 403 || wanted === null) throw error;
    return [await getJson(`/v1/cities/${encodeURIComponent(wanted)}`)];
  });
}

/** Take values in. A snapshot draws the page; a change touches only what it changes. */
async function take(context, status, data, isSnapshot) {
  const shown = context.values.apply(data.kpis);
  status.updated(data.updated);
  if (isSnapshot) context.values.forgetSeries();
  if (isSnapshot || unfetched || byId("kpis").hidden) return show(context);
  const here = shown.filter((kpi) => kindOf(kpi.period) === kind);
  parts.cards.touch(context, here);
  parts.air.touch(context);
  parts.panels.touch(context);
  announce(here.length);
}

let unfetched = false;
async function show(context) {
  const some = context.values.size > 0;
  byId("empty").hidden = some;
  setText(byId("empty"), "The city has no KPI value yet. This page shows it as soon as it exists.");
  if (!some) return;
  const codes = [...new Set(KINDS.flatMap((k) => context.values.ofKind(k.id).map((kpi) => kpi.code)))];
  const wanted = KINDS.find((k) => k.id === kind).series;
  unfetched = await context.values.load(codes, new Set(["day", wanted])).then(
    () => false,
    (error) => error.status === undefined, // no answer: retry later; an error answer would not change
  );
  byId("kpis").hidden = false;
  parts.cards.show(context, kind);
  parts.air.show(context);
  parts.panels.show(context, kind);
  offerSnapshot(context);
}

function offerCities(cities, city) {
  const select = byId("city");
  select.replaceChildren(...cities.map((c) => el("option", { value: c.id, selected: c.id === city.id }, c.name)));
  byId("chooser").hidden = cities.length < 2;
  select.addEventListener("change", () => go({ city: select.value }));
}

function offerPeriods(context) {
  const box = byId("periods");
  box.append(...KINDS.map((k) => choice("period", k.id, k.name, k.id === kind)));
  box.addEventListener("change", (event) => {
    kind = event.target.value;
    address.searchParams.set("period", kind);
    history.replaceState(null, "", address);
    show(context);
  });
}

function go(changes) {
  for (const [name, value] of Object.entries(changes)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Whether readings still come in; where this fails, the stream has said so already. */
async function lookAgain(id, status, clock) {
  const detail = await getJson(`/v1/cities/${encodeURIComponent(id)}`).catch(() => null);
  if (!detail) return;
  headline(detail, clock, status);
  status.city(detail);
}

function headline(detail, clock, status) {
  document.title = `${detail.name} · CityVitals`;
  setText(byId("name"), detail.name);
  const people = detail.population ? ` · ${detail.population.toLocaleString("en-GB")} inhabitants` : "";
  setText(byId("about"), `${detail.country} · times in ${detail.timezone}${people}`);
  const facts = [["Devices registered", String(detail.n_devices)]];
  if (detail.data_from) facts.push(["Data since", clock.day(Date.parse(detail.data_from))]);
  if (detail.data_until) facts.push(["Data until", clock.full(Math.min(Date.parse(detail.data_until), status.now()))]);
  facts.push(["Coverage needed", `${Math.round(detail.rules.period_capture * 100)} %`]);
  byId("facts").replaceChildren(...facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
}

let announced = -CALM_MS;
function announce(count) {
  if (!count || performance.now() - announced < CALM_MS) return;
  announced = performance.now();
  setText(byId("announce"), `${count} ${count === 1 ? "value" : "values"} updated.`);
}

start().catch((error) => {
  setText(byId("empty"), error.message);
  setText(byId("state-text"), "Not connected");
  byId("state").dataset.state = "lost";
  if (error.status === 401 || error.status === 403) return askForToken(error.message);
  setTimeout(() => location.reload(), 15000);
});
