// Admin: devices that send and are not registered, each with the form that registers it, place included.

import { getJson, sendJson } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { partText } from "../lib/format.js";
import { button, card, note } from "../lib/parts.js";
import { addressOf } from "../lib/place.js";
import { t } from "../lib/text.js";

const KINDS = ["air_lowcost", "air_reference", "electricity_meter", "ev_charger", "noise", "water_meter", "heat_meter", "weather"];
const SHOWN = 20;

export async function devicesCard({ city, signal }) {
  const found = await getJson(`/v1/cities/${encodeURIComponent(city.id)}/unregistered`, signal);
  const node = card(t("admin.devices", { n: found.count }), [t("view.devices"), addressOf(city.id, ["devices"])]);
  if (!found.devices.length) return node.append(el("p", { class: "small" }, t("admin.no_unregistered"))), node;
  for (const d of found.devices.slice(0, SHOWN)) node.append(unregistered(city, d));
  return node;
}

function unregistered(city, d) {
  const said = el("div", { role: "status" });
  const input = (key, attributes = {}) => el("input", { name: key, ...attributes });
  const field = (key, control, hint = "") => el("label", { class: "field" }, el("span", {}, t(`admin.${key}`)), control, hint ? el("span", { class: "muted small plain" }, hint) : "");
  const kind = el("select", { name: "kind" }, el("option", { value: "" }, t("admin.as_like")), ...KINDS.map((k) => el("option", { value: k }, t(`kind_of.${k}`))));
  const degrees = { inputmode: "decimal", pattern: "-?[0-9]+([.,][0-9]+)?", autocomplete: "off" };
  const place = [field("site", input("site", { maxlength: 100, autocomplete: "off" })), field("lat", input("lat", degrees)), field("lon", input("lon", degrees))];
  const fresh = [...place, field("like", input("like", { value: d.nearest, autocomplete: "off" })), field("kind", kind)];
  const form = el("form", { class: "stack register", onsubmit: (event) => {
    event.preventDefault();
    register(city, d, Object.fromEntries(new FormData(form)), said);
  } }, el("div", { class: "register-fields" }, ...(d.registered ? [] : fresh)), el("div", {}, el("button", { class: "button main" }, t("admin.register"))));
  return el("div", { class: "unregistered stack" }, el("p", {}, el("b", {}, el("bdi", {}, d.device)), " ", el("span", { class: "muted small" }, d.quantities.map(partText).join(", "))), d.nearest ? el("p", { class: "small" }, t("admin.perhaps", { nearest: d.nearest, device: d.device })) : "", form, said);
}

async function register(city, d, values, said) {
  const degrees = (text) => (text ? Number(text.replace(",", ".")) : null);
  const how = values.kind ? { kind: values.kind, quantities: d.quantities } : { like: values.like.trim() };
  const body = d.registered ? { quantities: d.quantities } : { ...how, site: values.site, lat: degrees(values.lat), lon: degrees(values.lon) };
  try {
    const { text } = await sendJson("POST", "/v1/admin/devices", { city: city.id, device: d.device, ...body });
    const lines = text.trim().split("\n");
    said.replaceChildren(note("good", t("admin.registered"), lines.slice(1).join(" ")), el("p", { class: "small" }, el("a", { href: addressOf(city.id, ["d", d.device]) }, t("map.open")), " · ", el("a", { href: addressOf(city.id, ["map"], { place: d.device }) }, t("now.on_map"))));
  } catch (error) {
    said.replaceChildren(note("bad", t("report.problem"), error.message));
  }
}

/** A button that is pressed once; it then shows the result. */
export function once(words, act, said) {
  const node = button(words, async () => {
    node.disabled = true;
    try {
      said.replaceChildren(note("good", await act()));
    } catch (error) {
      said.replaceChildren(note("bad", error.message));
    }
    node.disabled = false;
  });
  return node;
}
