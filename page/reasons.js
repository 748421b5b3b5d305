// Why a value is missing, from the API's reason codes, as people read it.

const WHY = {
  partial_period: "measured in a part of the period only",
  low_coverage: "too few data",
  no_data: "no data in this period",
  stale: "out of date",
  outside_log: "outside the time of the log",
  missing_setting: "a number of the city is not known",
  not_for_period: "not calculated for this kind of period",
  undefined: "the formula has no value here",
  no_device: "no such device is registered",
  reported_only: "entered by the city; not yet for this period",
  part_of_city: "measured for a part of the city only",
  future: "the period has not begun",
};

/** The reason in words; the notes where the code says nothing. */
export const whyText = (code, notes = "") => WHY[code] ?? (notes || "no value");
