// Whether what is shown is current: connection, store, readings, and age of the newest value; one chip, one banner.

import { byId, el } from "../lib/dom.js";
import { chip, note } from "../lib/parts.js";
import { t } from "../lib/text.js";

const SILENCE_MS = 40000; // the server sends a heartbeat every 15 s
const QUIET_MS = 10 * 60000; // at least; a city with hourly readings may have no changes for longer
const STAGES = { ingest: "banner.ingest", gateway: "banner.gateway", sensors: "banner.sensors", readings: "banner.stopped" };
const LOOK_MS = 5000;

/** The state of the connection to one city. `draw()` is called by itself; `stop()` ends that. */
export class Status {
  #clock;
  #ahead = null; // the server's time minus the browser's monotonic clock, ms
  #heard = 0;
  #updated = null;
  #until = null; // end of the window of the newest reading
  #silence = null; // what has stopped between devices and values, and since when
  #quiet = QUIET_MS;
  #store = true;
  #lost = false;
  #devices = null;
  #timer;
  #shown = "";

  constructor(clock) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.draw(), LOOK_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** The server's time, ms; the browser's until the server has sent its time. */
  now() {
    return this.#ahead === null ? Date.now() : this.#ahead + performance.now();
  }

  /** The server's heartbeat: its time, and whether it reaches its store. */
  alive({ time, store }) {
    this.#ahead = Date.parse(time) - performance.now();
    this.#store = store;
    this.#hear();
  }

  /** Up to when the city has readings, what is silent, and how wide windows are; all from the city's description. */
  city({ data_until: until, window_s: width, silence }) {
    this.#until = until === null ? null : Date.parse(until);
    this.#silence = silence;
    this.#quiet = Math.max(QUIET_MS, 2500 * width);
    this.draw();
  }

  /** Values that last changed at this time, and how many devices report. */
  values({ at, updated, devices }) {
    this.#ahead ??= Date.parse(at) - performance.now();
    if (updated) this.#updated = Math.max(this.#updated ?? 0, Date.parse(updated));
    this.#devices = devices ?? this.#devices;
    this.#hear();
  }

  lost() {
    this.#lost = true;
    this.draw();
  }

  draw() {
    const [kind, word, banner] = this.#judge();
    const key = JSON.stringify([kind, word, banner]);
    if (key === this.#shown) return;
    this.#shown = key;
    byId("state")?.replaceChildren(chip(kind, word));
    byId("notes").replaceChildren(...(banner ? [el("div", { role: "alert" }, note("watch", ...banner))] : []));
    document.body.toggleAttribute("data-stale", Boolean(banner));
  }

  #hear() {
    this.#heard = performance.now();
    this.#lost = false;
    this.draw();
  }

  /** Kind of the chip, its words, and head and sentence of the banner where one is needed. */
  #judge() {
    const newest = this.#updated ?? (this.#until === null ? null : Math.min(this.#until, this.now()));
    const at = newest === null ? "" : this.#clock.near(newest, this.now());
    const silent = this.#heard && performance.now() - this.#heard > SILENCE_MS;
    if (this.#lost || silent) return ["watch", t("state.lost"), [t("banner.lost"), at ? t("banner.as_of", { at }) : ""]];
    if (!this.#store) return ["watch", t("state.store"), [t("banner.store"), t("banner.store_next")]];
    if (!this.#heard) return ["off", t("state.connecting"), null];
    if (!at) return ["off", t("state.no_values"), null];
    return this.#age(newest, at);
  }

  /** How old what is shown is: a part that is silent, values that do not change, or all well. */
  #age(newest, at) {
    if (this.#silence) {
      const since = this.#clock.near(Date.parse(this.#silence.since), this.now());
      const until = this.#until === null ? since : this.#clock.near(this.#until, this.now());
      const text = STAGES[this.#silence.stage];
      return ["watch", t("state.stopped", { at: until }), [t(text, { at: since }), t(`${text}_next`)]];
    }
    if (this.now() - newest < this.#quiet) return ["live", t("state.live", { at }), null];
    return ["watch", t("state.unchanged", { at }), [t("banner.unchanged", { at }), t("banner.unchanged_next")]];
  }
}
