// The parts that every display of a KPI value shares: value and unit, coverage bar, status, and why there is no value.

import { el, setText } from "./dom.js";
import { number, percent, STATUS, unitText } from "./format.js";

/** A value with its unit, or "No value". `update(kpi)` changes it and returns whether the text changed. */
export function valueView(className = "value") {
  const figure = el("span", { class: "figure" });
  const unit = el("span", { class: "unit" });
  const node = el("p", { class: className }, figure, " ", unit);
  return {
    node,
    update(kpi) {
      const text = kpi.value === null ? "No value" : number(kpi.value, kpi.unit);
      const changed = figure.textContent !== "" && figure.textContent !== text;
      setText(figure, text);
      setText(unit, kpi.value === null ? "" : unitText(kpi.unit));
      node.toggleAttribute("data-none", kpi.value === null);
      return changed;
    },
  };
}

/** The coverage bar with its number in words and the number of devices; a tick marks the rule. */
export function coverageView(rule) {
  const bar = el(
    "span",
    { class: "coverage-bar", "aria-hidden": "true" },
    el("span", { class: "fill" }),
    el("span", { class: "tick" }),
  );
  const text = el("span", { class: "coverage-text" });
  bar.style.setProperty("--rule", `${rule * 100}%`);
  return {
    node: el("p", { class: "coverage" }, bar, text),
    update(kpi) {
      bar.style.setProperty("--share", `${kpi.coverage * 100}%`);
      bar.toggleAttribute("data-low", kpi.coverage < rule);
      const devices = `${kpi.n_devices} ${kpi.n_devices === 1 ? "device" : "devices"}`;
      const reported = kpi.method.startsWith("reported/");
      setText(text, reported ? "reported by the city" : `${percent(kpi.coverage)} covered · ${devices}`);
    },
  };
}

/** The status as a word in a pill. */
export function statusView() {
  const node = el("span", { class: "status" });
  return {
    node,
    update(kpi) {
      setText(node, STATUS[kpi.status]);
      node.dataset.status = kpi.status;
    },
  };
}

/** Why a value is missing, in words; empty where there is one. */
export function missing(kpi, rule) {
  if (kpi.value !== null) return "";
  if (!kpi.coverage && kpi.notes) return `No value: ${kpi.notes}.`;
  const short =
    kpi.coverage < rule
      ? `Insufficient: coverage ${percent(kpi.coverage)} of the ${percent(rule)} needed`
      : "Insufficient";
  return kpi.notes ? `${short}. ${sentence(kpi.notes)}` : `${short}.`;
}

/** Notes as a sentence. */
export function sentence(notes) {
  const text = notes.charAt(0).toUpperCase() + notes.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Show for a moment that a value has changed. */
export function flash(node) {
  node.classList.remove("changed");
  void node.offsetWidth; // restarts the animation
  node.classList.add("changed");
}
