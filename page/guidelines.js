// WHO global air quality guidelines, 2021, in µg/m³. Which statistic each belongs to is part of the value.

export const POLLUTANTS = ["pm2_5", "pm10", "no2", "o3", "so2"];

/** Against what a pollutant's annual mean, or for SO₂ its 24-hour mean, is held. */
export const GUIDELINE = {
  pm2_5: { kind: "365d", value: 5, text: "annual guideline 5" },
  pm10: { kind: "365d", value: 15, text: "annual guideline 15" },
  no2: { kind: "365d", value: 10, text: "annual guideline 10" },
  o3: {
    kind: "365d",
    value: null,
    text: "No annual guideline exists. WHO sets 60 for the peak season (mean of daily 8 h maxima), another statistic: not compared.",
  },
  so2: { kind: "24h", value: 40, text: "24 h guideline 40; no annual guideline exists" },
};

/** For daily means; each may be passed on three to four days a year. Ozone has one for 8 hours only. */
export const DAILY = { pm2_5: 15, pm10: 45, no2: 25, so2: 40 };
