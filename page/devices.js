// Every registered device: where it stands, when it was last heard, what it read. Those that need a look come first.

import { getJson } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { clockOf, number, SHORT_PARTS, unitText } from "./format.js";
import { fail, view } from "./frame.js";
import { map } from "./map.js";

const AGAIN_MS = 30000;
const WORDS = { ok: "reports", silent: "silent", unheard: "not heard yet" };
const KINDS = {
  air_reference: "air, reference station", air_lowcost: "air, low-cost sensor", electricity_meter: "electricity meter",
  ev_charger: "EV charger", noise: "noise sensor", water_meter: "water meter", heat_meter: "heat meter",
  weather: "weather station", outage_log: "outage log",
};
const address = new URL(location.href);

view("devices", async (detail) => {
  const clock = clockOf(detail.timezone);
  theirs = clock;
  byId("show").value = address.searchParams.get("show") ?? "";
  byId("show").addEventListener("change", () => {
    if (byId("show").value) address.searchParams.set("show", byId("show").value);
    else address.searchParams.delete("show");
    history.replaceState(null, "", address);
    list(current, clock);
  });
  await load(detail, clock);
  byId("content").hidden = false;
  setInterval(() => load(detail, clock).catch(fail), AGAIN_MS);
});

let current = null;
let theirs = null;

async function load(detail, clock) {
  const found = await getJson(`/v1/cities/${encodeURIComponent(detail.id)}/devices`);
  const first = current === null || current.devices.length !== found.devices.length;
  current = found;
  const trouble = found.counts.silent + found.counts.unheard;
  const all = found.devices.length;
  byId("answer").hidden = false;
  setText(byId("answer"), sentence(all, trouble));
  const placed = found.devices.filter((d) => d.lat !== null).length;
  setText(byId("map-about"), `${placed} of ${all} devices are on the map; meters of homes are not. Round: sensors; square: chargers and public meters; dashed: silent.`);
  if (first || !byId("map").contains(document.activeElement))
    byId("map").replaceChildren(map(found.devices, choose, (d) => `${d.site || d.id}: ${state(d, clock)}`));
  list(found, clock);
}

function sentence(all, trouble) {
  if (!all) return "No device is registered yet.";
  if (!trouble) return `Nothing needs a look. All ${all} devices report.`;
  return `${trouble} of ${all} ${all === 1 ? "device needs" : "devices need"} a look.`;
}

function list(found, clock) {
  const only = byId("show").value === "trouble";
  const rows = found.devices.filter((d) => !only || d.state !== "ok");
  setText(byId("found"), rows.length ? `${rows.length} devices` : "No device needs a look.");
  const heads = ["Device", "State", "Newest values"];
  byId("list").replaceChildren(
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, ...rows.map((d) => line(d, clock))),
    ),
  );
}

function state(device, clock) {
  if (device.state !== "silent") return WORDS[device.state];
  return `silent since ${clock.full(Date.parse(device.heard))}`;
}

function line(device, clock) {
  const values = Object.entries(device.newest)
    .filter(([, reading]) => reading.value !== null)
    .map(([quantity, r]) => `${SHORT_PARTS[quantity] ?? quantity.replaceAll("_", " ")} ${number(r.value)} ${unitText(r.unit)}`);
  return el(
    "tr",
    { id: `device-${device.id}`, tabindex: "-1" },
    el("th", { scope: "row" }, device.site || device.id, el("span", { class: "code" }, ` ${device.id} · ${KINDS[device.kind] ?? device.kind}`)),
    el("td", {}, el("span", { class: "pill", "data-state": device.state }, state(device, clock))),
    el("td", {}, values.join(" · ") || el("span", { class: "muted" }, device.withheld ? "not shown for homes" : "none")),
  );
}

/** Choosing on the map moves to the row of the list. */
function choose(id) {
  byId("show").value = "";
  list(current, theirs);
  const row = byId(`device-${id}`);
  row?.scrollIntoView({ block: "center" });
  row?.focus();
}
