// A value compared with the period before it, in words. Only comparable values are compared.

import { number, periodText, unitText } from "./format.js";

// Means and shares compare at any length; everything else adds up over its period.
const MEAN = /^(%|ug\/m3|dB|Cel|ratio)$|\/day/;
const STEADY = 0.005;

/**
 * The trend of a value: {text, better} with better true, false or null; null where nothing can be compared.
 * `points`: the series it belongs to; `now`: ms; `direction`: higher, lower or "".
 *
 * A sum of a period that still runs is not compared with a whole period: it would always look like a fall.
 */
export function trend(kpi, kind, points, now, direction) {
  const before = previous(kpi, kind, points);
  if (!before || kpi.value === null) return null;
  const rolling = kind === "24h" || kind === "365d";
  if (!rolling && !MEAN.test(kpi.unit) && Date.parse(kpi.end) > now) {
    return {
      arrow: "",
      text: `so far; ${periodText(before.period)}: ${number(before.value, before.unit)} ${unitText(before.unit)}`,
      better: null,
    };
  }
  if (!before.value) return null;
  const change = kpi.value / before.value - 1;
  if (Math.abs(change) < STEADY) return { arrow: "→", text: `as on ${periodText(before.period)}`, better: null };
  const size = Math.abs(change) < 0.1 ? Math.abs(change * 100).toFixed(1) : Math.round(Math.abs(change * 100));
  const better = direction ? change > 0 === (direction === "higher") : null;
  return {
    arrow: change > 0 ? "▲" : "▼",
    text: `${size} % ${change > 0 ? "above" : "below"} ${periodText(before.period)}`,
    better,
  };
}

/** The points to draw: a sum of a period that still runs is left out, it would look like a fall. */
export const whole = (points, now) => points.filter((p) => MEAN.test(p.unit) || p.end <= now);

/** The newest earlier point that has a value of the same unit and is complete. */
function previous(kpi, kind, points) {
  const start = Date.parse(kpi.start);
  const end = Date.parse(kpi.end);
  const earlier = points.filter((p) => p.value !== null && p.unit === kpi.unit);
  if (kind === "24h") return earlier.findLast((p) => p.end <= end && p.start < start);
  if (kind === "365d") return null;
  return earlier.findLast((p) => p.start < start);
}
