// What the map can show: pollutants of the air by their band, the power of streets and areas, chargers by their state.

import { getJson } from "../lib/api.js";
import { number, POLLUTANTS, power, unitText } from "../lib/format.js";
import { hasText, t } from "../lib/text.js";
import { bandWord } from "./now_air.js";

export const USE_GLYPHS = { free: "✓", plugged: "·", charging: "ϟ", fault: "!", unknown: "–" };
const USES = ["free", "plugged", "charging", "fault"];
const RANK = { fault: 4, unknown: 3, free: 2, plugged: 1, charging: 0 };
export const LAYERS = ["pm2_5", "pm10", "no2", "o3", "so2", "power", "charging"];

/** The name of a layer. */
export const layerName = (layer) => POLLUTANTS[layer] ?? t(`layer.${layer}`);

/** The layers for which the city has devices. */
export function layersOf(devices) {
  const measured = new Set(devices.flatMap((d) => d.quantities));
  return LAYERS.filter((l) => (l === "charging" ? devices.some((d) => d.kind === "ev_charger") : l === "power" ? devices.some((d) => d.kind === "electricity_meter") : measured.has(l)));
}

/** Load a layer: its rows (places with value and words), areas, and whether an hour can be chosen. */
export async function load(layer, city, devices, signal) {
  const base = `/v1/cities/${encodeURIComponent(city.id)}`;
  if (layer === "charging") return { rows: () => devices.filter((d) => d.kind === "ev_charger").map(charger), areas: [], hours: null };
  const hours = await getJson(`${base}/hours?quantity=${layer}`, signal);
  const areas = layer === "power" ? await getJson(`${base}/areas`, signal).catch((error) => ({ failed: error.message })) : null;
  const known = new Map(devices.map((d) => [d.id, d]));
  const rows = (at) => hours.devices.map((id, i) => (layer === "power" ? meter : station)(known.get(id), hours, i, at)).filter((row) => row.device);
  return { rows, areas: areas?.areas ?? [], notShown: areas?.not_shown ?? 0, failed: areas?.failed ?? "", hours };
}

/** The newest hour that has a value, of the running one and the one before; or exactly the hour that was chosen. */
function valueAt(row, at) {
  if (at !== null) return { value: row[at] ?? null, i: at };
  for (const i of [row.length - 1, row.length - 2]) if (row[i] !== null) return { value: row[i], i };
  return { value: null, i: row.length - 1 };
}

function station(device, hours, number_, at) {
  const { value, i } = valueAt(hours.values[number_], at);
  const band = value === null ? null : hours.bands[number_][i];
  const silent = device?.state !== "ok" && at === null;
  const state = silent ? "silent" : device?.suspect_days ? "suspect" : null;
  return { device, value, band, rank: value ?? -1, text: value === null || silent ? "–" : number(value), words: silent ? t(`device.${device.state}`) : value === null ? t("no_value") : capital(bandWord(band)), state, history: hours.bands[number_], values: hours.values[number_], unit: unitText(hours.unit) };
}

function meter(device, hours, i, at) {
  const { value } = valueAt(hours.values[i], at);
  const shown = value === null ? null : power(value / 1000);
  const silent = device?.state !== "ok" && at === null;
  return { device, value, band: null, rank: value ?? -1, square: true, state: silent ? "silent" : null, text: shown ? number(shown.value, shown.value < 10 ? 1 : 0) : "–", words: shown ? `${number(shown.value)} ${shown.unit}` : t("no_value"), values: hours.values[i], unit: "kW" };
}

function charger(device) {
  const reading = device.newest.connector_state;
  const use = device.state !== "ok" || !reading ? "unknown" : USES[Math.min(reading.value, 3)];
  return { device, value: RANK[use], rank: RANK[use], square: true, use, text: USE_GLYPHS[use], words: t(`use.${use}`), state: use === "unknown" ? "silent" : null };
}

const capital = (word) => word.charAt(0).toLocaleUpperCase() + word.slice(1);

/** The heading: the answer of a layer. */
export function answer(layer, rows) {
  const known = rows.filter((row) => row.value !== null && row.state !== "silent");
  if (layer === "charging") return t("map.free", { n: rows.filter((row) => row.use === "free").length, all: rows.length });
  const top = known.filter((row) => row.state !== "suspect").sort((a, b) => b.rank - a.rank)[0];
  if (!top) return t("map.nothing", { layer: layerName(layer) });
  return t(hasText(`map.top.${layer}`) ? `map.top.${layer}` : "map.top", { layer: layerName(layer), site: top.device.site || top.device.id });
}
