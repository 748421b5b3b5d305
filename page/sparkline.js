// A sparkline of the last values; the numbers are beside it.

import { svg } from "./dom.js";

const WIDTH = 132;
const HEIGHT = 40;
const MOST = 31;

/** The sparkline of points {value}; gaps stay gaps. Null where there are fewer than two values. */
export function sparkline(points) {
  const shown = points.slice(-MOST);
  const values = shown.map((p) => p.value).filter((v) => v !== null);
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (i) => 3 + (i * (WIDTH - 7)) / (shown.length - 1);
  const flat = high - low <= 0.001 * Math.abs(high); // rounding must not look like a change
  const y = (v) => (flat ? HEIGHT / 2 : HEIGHT - 5 - ((v - low) * (HEIGHT - 10)) / (high - low));
  const last = shown.findLastIndex((p) => p.value !== null);
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    svg("path", { d: path(shown, x, y) }),
    svg("circle", { cx: x(last).toFixed(1), cy: y(shown[last].value).toFixed(1), r: 3 }),
  );
}

function path(points, x, y) {
  let pen = "M";
  let out = "";
  points.forEach((p, i) => {
    if (p.value === null) pen = "M";
    else {
      out += `${pen}${x(i).toFixed(1)} ${y(p.value).toFixed(1)}`;
      pen = "L";
    }
  });
  return out;
}
