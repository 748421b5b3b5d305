// Numbers, units, times and periods as people of a language write them.

import { hasText, locale, t } from "./text.js";

export const NBSP = "\u00a0";
const MINUS = "\u2212";

/** A value with as many digits as mean something: 0.0042, 7.61, 38.2, 1 204. */
export function number(value, digits = null) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const places = digits ?? (size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
  const options = digits === null && size > 0 && size < 0.1
    ? { maximumSignificantDigits: 2 }
    : { minimumFractionDigits: places, maximumFractionDigits: places };
  const text = new Intl.NumberFormat(locale(), options).formatToParts(value);
  return text.map((part) => (part.type === "group" ? "\u202f" : part.value)).join("").replace("-", MINUS);
}

/** A share of 0..1 in percent. Never rounded up to 100. */
export function percent(share) {
  const places = share > 0.99 && share < 1 ? 1 : 0;
  const floor = places ? Math.floor(share * 1000) / 10 : Math.round(share * 100);
  return `${number(floor, places)}${NBSP}%`;
}

const UNITS = { "ug/m3": "µg/m³", "tonnes eCO2/capita": "t CO₂e", Cel: "°C", "%RH": "%", "/": "" };

/** The unit as printed. */
export function unitText(unit) {
  const known = `unit.${unit}`;
  return hasText(known) ? t(known) : (UNITS[unit] ?? unit);
}

/** A value with its unit, on one line; watts in the thousands as kilowatts. */
export function quantity(value, unit, digits = null) {
  if (unit === "W" && Math.abs(value) >= 1000) return quantity(value / 1000, "kW", digits);
  const printed = unitText(unit);
  return printed ? `${number(value, digits)}${NBSP}${printed}` : number(value, digits);
}

/** Power in the unit in which it has few digits. */
export function power(kw) {
  return Math.abs(kw) >= 1000 ? { value: kw / 1000, unit: "MW" } : { value: kw, unit: "kW" };
}

export const POLLUTANTS = { pm2_5: "PM2.5", pm10: "PM10", no2: "NO₂", o3: "O₃", so2: "SO₂" };

/** The name of a quantity, or of a data point of an indicator. */
export function partText(part) {
  const [name, beside] = part === "reported" ? ["", part] : part.split(":");
  const key = `part.${name}`;
  const text = hasText(key) ? t(key) : name.replaceAll("_", " ");
  return beside ? (text ? t("part.reported", { part: text }) : t("origin.reported")) : text;
}

/** How times are written for one city: in its own time zone. */
export function clockOf(timezone) {
  const make = (options) => new Intl.DateTimeFormat(locale(), { timeZone: timezone, ...options });
  const formats = {
    time: make({ hour: "2-digit", minute: "2-digit" }),
    day: make({ day: "numeric", month: "short", year: "numeric" }),
    short: make({ day: "numeric", month: "short" }),
    long: make({ weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    full: make({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    weekday: make({ weekday: "long" }),
    month: make({ month: "short", year: "numeric" }),
  };
  const of = (name) => (moment) => formats[name].format(typeof moment === "string" ? Date.parse(moment) : moment);
  const clock = Object.fromEntries(Object.keys(formats).map((name) => [name, of(name)]));
  const near = (moment, now) => (clock.day(moment) === clock.day(now) ? clock.time(moment) : clock.full(moment));
  return { ...clock, near, timezone };
}

/** How long ago, in words. */
export function ago(ms) {
  const [size, unit] = ms < 90e3 ? [1e3, "second"] : ms < 90 * 60e3 ? [60e3, "minute"] : ms < 36 * 3600e3 ? [3600e3, "hour"] : [86400e3, "day"];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "always", style: "short" }).format(-Math.max(0, Math.round(ms / size)), unit);
}

/** A period in words: "17 Jun 2026", "Jun 2026", "Q2 2026", "2026". */
export function periodText(label) {
  if (label === "24h" || label === "365d" || label === "newest") return t(`period.${label}`);
  const [year, second, day] = label.split("-");
  if (!second) return year;
  if (second.startsWith("Q")) return t("period.quarter", { q: second.slice(1), year });
  const options = day ? { day: "numeric", month: "short", year: "numeric" } : { month: "long", year: "numeric" };
  return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options }).format(Date.UTC(year, second - 1, day ?? 1));
}

/** Sort by name as the language does: Å after Z in Norwegian. */
export const byName = (of) => {
  const collator = new Intl.Collator(locale(), { numeric: true });
  return (a, b) => collator.compare(of(a), of(b));
};
