// A small line without axes, for a table: 2 to 40 points, the last one dotted.

import { svg } from "./dom.js";

const [WIDTH, HEIGHT, PAD] = [72, 22, 3];

export function sparkline(values) {
  const known = values.filter((v) => v !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (i) => PAD + (i / Math.max(values.length - 1, 1)) * (WIDTH - 2 * PAD);
  const y = (v) => HEIGHT - PAD - ((v - low) / (high - low || 1)) * (HEIGHT - 2 * PAD);
  let pen = false;
  const d = values.map((v, i) => {
    if (v === null) return ((pen = false), "");
    const step = `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = true;
    return step;
  }).join("");
  const last = values.findLastIndex((v) => v !== null);
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, svg("path", { class: "line", d }), svg("circle", { class: "dot", cx: x(last), cy: y(values[last]), r: 2.5 }));
}
