// Numbers, units, times and names as people read them.

const UNITS = [
  [/^ug\/m3$/, "µg/m³"],
  [/\/(yr|day)\/capita/, (_, time) => ` per inhabitant and ${time === "yr" ? "year" : "day"}`],
  ["/capita", " per inhabitant"],
  ["/m2/yr", " per m² and year"],
  ["/m2", " per m²"],
  ["tonnes eCO2", "t CO₂e"],
];

const PARTS = {
  pm2_5: "Fine particles, PM2.5",
  pm10: "Particles, PM10",
  no2: "Nitrogen dioxide, NO₂",
  o3: "Ozone, O₃",
  so2: "Sulphur dioxide, SO₂",
};

export const SHORT_PARTS = { pm2_5: "PM2.5", pm10: "PM10", no2: "NO₂", o3: "O₃", so2: "SO₂" };

export const STATUS = { final: "Final", provisional: "Provisional", insufficient: "Insufficient" };

/** The unit as printed. */
export const unitText = (unit) => UNITS.reduce((text, [from, to]) => text.replace(from, to), unit);

/** The name of a data point. */
export function partText(part) {
  const [name, beside] = part === "reported" ? ["", part] : part.split(":");
  const text = PARTS[name] ?? name;
  return beside ? [text, "reported by the city"].filter(Boolean).join(", ") : text;
}

/** A value with as many digits as mean something: 0.0042, 7.61, 38.2, 1,204. */
export function number(value, unit = "") {
  const size = Math.abs(value);
  if (size > 0 && size < 0.1) return value.toLocaleString("en-GB", { maximumSignificantDigits: 2 });
  const digits = unit === "count" || size >= 200 || size === 0 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A share of 0..1 in percent. Never rounded up to 100. */
export function percent(share) {
  if (share >= 1) return "100 %";
  return share > 0.99 ? `${(Math.floor(share * 1000) / 10).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}

/** How times are written for one city: in its own time zone. */
export function clockOf(timezone) {
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: timezone, ...options });
  const time = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = format({ day: "numeric", month: "short", year: "numeric" });
  const short = format({ day: "numeric", month: "short" });
  const full = format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  return {
    timezone,
    time: (ms) => time.format(ms),
    day: (ms) => day.format(ms),
    short: (ms) => short.format(ms),
    full: (ms) => full.format(ms),
    sameDay: (a, b) => day.format(a) === day.format(b),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A calendar period in words: "17 Jun", "Jun 2026", "Q2 2026", "2026". */
export function periodText(label) {
  const [year, second, day] = label.split("-");
  if (!second) return year;
  if (second.startsWith("Q")) return `${second} ${year}`;
  return day ? `${Number(day)} ${MONTHS[second - 1]}` : `${MONTHS[second - 1]} ${year}`;
}
