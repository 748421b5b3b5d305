// The data of the page: the newest value per KPI part and kind of period, and series per KPI and kind.

import { getJson } from "./api.js";

export const KINDS = [
  { id: "24h", name: "24 h", text: "Last 24 hours", series: "day" },
  { id: "day", name: "Day", text: "Newest day", series: "day" },
  { id: "month", name: "Month", text: "Newest month", series: "month" },
  { id: "quarter", name: "Quarter", text: "Newest quarter", series: "quarter" },
  { id: "year", name: "Year", text: "Newest year", series: "year" },
  { id: "365d", name: "365 d", text: "Last 365 days", series: "month" },
];

/** The kind of a period from its label, as in 2018, 2018-Q3, 2018-07, 2018-07-01, 24h, 365d. */
export function kindOf(label) {
  if (label === "24h" || label === "365d") return label;
  if (label.includes("Q")) return "quarter";
  return { 4: "year", 7: "month", 10: "day" }[label.length];
}

export class Values {
  #newest = new Map();
  #series = new Map();

  constructor(city) {
    this.city = city;
  }

  /** Take values; returns those that are the newest of their kind, so that the page shows them. */
  apply(kpis) {
    const shown = [];
    for (const kpi of kpis) {
      const kind = kindOf(kpi.period);
      const key = `${kpi.code}|${kpi.part}|${kind}`;
      const old = this.#newest.get(key);
      this.#patch(kpi, kind);
      if (old && old.start > kpi.start) continue;
      this.#newest.set(key, kpi);
      shown.push(kpi);
    }
    return shown;
  }

  /** The newest value, or undefined. */
  get(code, part, kind) {
    return this.#newest.get(`${code}|${part}|${kind}`);
  }

  /** All newest values of a kind. */
  ofKind(kind) {
    return [...this.#newest.values()].filter((kpi) => kindOf(kpi.period) === kind);
  }

  /** Whether this KPI part has a value in any period known here. */
  everHad(code, part) {
    const newest = KINDS.some((kind) => (this.get(code, part, kind.id)?.value ?? null) !== null);
    return newest || KINDS.some((kind) => this.series(code, part, kind.series).some((p) => p.value !== null));
  }

  get size() {
    return this.#newest.size;
  }

  /** Forget the series: after a snapshot, changes may have been missed. */
  forgetSeries() {
    this.#series.clear();
  }

  /** Load the series of these codes and kinds that are not known yet. */
  async load(codes, kinds) {
    const wanted = codes.flatMap((code) => [...kinds].map((kind) => [code, kind]));
    const missing = wanted.filter(([code, kind]) => !this.#series.has(`${code}|${kind}`));
    await Promise.all(missing.map(([code, kind]) => this.#fetch(code, kind)));
  }

  /** The points of one part, oldest first: {period, start, end, value, coverage, unit}; times in ms. */
  series(code, part, kind) {
    return this.#series.get(`${code}|${kind}`)?.get(part) ?? [];
  }

  async #fetch(code, kind) {
    const path = `/v1/cities/${encodeURIComponent(this.city)}/kpis/${encodeURIComponent(code)}/series?kind=${kind}`;
    const answer = await getJson(path);
    const parts = answer.series.map((s) => [s.part, s.start.map((_, i) => point(s, i))]);
    this.#series.set(`${code}|${kind}`, new Map(parts));
  }

  #patch(kpi, kind) {
    const points = this.#series.get(`${kpi.code}|${kind}`)?.get(kpi.part);
    if (!points) return;
    const fresh = { ...kpi, start: Date.parse(kpi.start), end: Date.parse(kpi.end) };
    const at = points.findIndex((p) => p.start >= fresh.start);
    if (at < 0) points.push(fresh);
    else points.splice(at, points[at].start === fresh.start ? 1 : 0, fresh);
  }
}

function point(columns, i) {
  return {
    period: columns.period[i],
    start: Date.parse(columns.start[i]),
    end: Date.parse(columns.end[i]),
    value: columns.value[i],
    unit: columns.unit[i],
    coverage: columns.coverage[i],
    status: columns.status[i],
    n_devices: columns.n_devices[i],
  };
}
