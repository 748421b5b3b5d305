// Whether the page is current: connection, store, and age of the newest value.

import { byId, setText } from "./dom.js";

const SILENCE_MS = 40000; // the server sends a heartbeat every 15 s
const QUIET_MS = 10 * 60000; // at least; a city with hourly readings may have no changes for longer
const LOOK_MS = 5000;

export class Status {
  #clock;
  #ahead = null; // the server's time minus the browser's monotonic clock, ms
  #heard = 0;
  #updated = null;
  #until = null; // end of the newest window with readings
  #quiet = QUIET_MS;
  #store = true;
  #lost = false;

  constructor(clock) {
    this.#clock = clock;
    setInterval(() => this.draw(), LOOK_MS);
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

  /** Up to when the city has readings, and how wide its windows are. */
  city({ data_until: until, window_s: width }) {
    this.#until = until === null ? null : Date.parse(until);
    this.#quiet = Math.max(QUIET_MS, 2500 * width);
    this.draw();
  }

  /** Values have come that last changed at this time. */
  updated(text) {
    if (text) this.#updated = Math.max(this.#updated ?? 0, Date.parse(text));
    this.#hear();
  }

  lost() {
    this.#lost = true;
    this.draw();
  }

  draw() {
    const at = this.#updated === null ? "" : this.#when(this.#updated);
    const [state, text, time, banner] = this.#judge(at);
    byId("state").dataset.state = state;
    setText(byId("state-text"), text);
    setText(byId("state-time"), time);
    byId("banner").hidden = !banner;
    setText(byId("banner"), banner);
    document.body.toggleAttribute("data-stale", Boolean(banner));
  }

  #hear() {
    this.#heard = performance.now();
    this.#lost = false;
    this.draw();
  }

  /** State, its name, a time beside it, and the sentence of the banner where one is needed. */
  #judge(at) {
    const below = at ? ` The values below are as of ${at}.` : "";
    const time = at ? `updated ${at}` : "";
    const silent = this.#heard && performance.now() - this.#heard > SILENCE_MS;
    if (this.#lost || silent)
      return ["lost", "Connection lost", time, `The connection to the server is lost; retrying.${below}`];
    if (!this.#store) return ["lost", "Store unavailable", time, `The server's store does not answer.${below}`];
    if (!this.#heard) return ["connecting", "Connecting…", "", ""];
    if (!at) return ["quiet", "Connected", "no values yet", ""];
    if (this.#until !== null && this.now() - this.#until > this.#quiet) {
      const until = this.#when(this.#until);
      return [
        "quiet",
        "Readings stopped",
        `at ${until}`,
        `There are no readings after ${until}. Every value below is of that time or older.`,
      ];
    }
    if (this.now() - this.#updated < this.#quiet) return ["live", "Live", time, ""];
    return [
      "quiet",
      "No changes",
      `since ${at}`,
      `No value has changed since ${at}. Check that gateways and ingest are running.`,
    ];
  }

  #when(ms) {
    return this.#clock.sameDay(ms, this.now()) ? this.#clock.time(ms) : this.#clock.full(ms);
  }
}
