// The texts of the page: one JSON file a language, keys by view. No sentence is built from pieces.
//
// A text may hold places, {name}; where a number decides the form, it is an object of forms by plural category and the
// number is `n`.

import { byId } from "./dom.js";

const NAMES = { en: "English", nb: "Norsk", de: "Deutsch", fr: "Français", es: "Español" };
const LOCALES = { en: "en-GB", nb: "nb-NO", de: "de-DE", fr: "fr-FR", es: "es-ES" };
const KEPT = "cityvitals-language";
const state = { texts: {}, language: "en", plurals: new Intl.PluralRules("en") };

/** The server's data about its files and settings: addresses of files by name, map tiles. */
export const settings = JSON.parse(byId("files").textContent);

/** The languages there are texts for, by their own names. */
export const LANGUAGES = Object.fromEntries(Object.entries(NAMES).filter(([id]) => `texts/${id}.json` in settings.files));

/** The language in use, as in ?lang=nb, then the stored choice, then the browser's. */
export function language() {
  return state.language;
}

/** The locale in which numbers and dates are written. */
export function locale() {
  return LOCALES[state.language];
}

function wanted() {
  const asked = new URLSearchParams(location.search).get("lang");
  const candidates = [asked, stored(), ...navigator.languages.map((name) => name.slice(0, 2).replace("no", "nb"))];
  return candidates.find((name) => Object.hasOwn(LANGUAGES, name ?? "")) ?? "en";
}

function stored() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // a browser without storage
  }
}

/** Load the texts of a language; English ones stand in for any that it lacks. */
export async function loadTexts(name = wanted()) {
  const own = await file(name);
  state.texts = name === "en" ? own : { ...(Object.keys(own).length < settings.texts ? await file("en") : {}), ...own };
  state.language = name;
  state.plurals = new Intl.PluralRules(name);
  document.documentElement.lang = name;
}

/** Keep the choice and load it. */
export async function chooseLanguage(name) {
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // kept for this page only
  }
  const address = new URL(location.href);
  if (address.searchParams.has("lang")) {
    address.searchParams.set("lang", name);
    history.replaceState(null, "", address);
  }
  await loadTexts(name);
}

async function file(name) {
  const answer = await fetch(settings.files[`texts/${name}.json`]).catch(() => null);
  return answer?.ok ? answer.json() : {};
}

function form(key, values) {
  const text = state.texts[key];
  if (text === undefined) return key;
  return typeof text === "string" ? text : (text[state.plurals.select(values.n)] ?? text.other);
}

/** Whether there is such a text. */
export const hasText = (key) => state.texts[key] !== undefined;

/** The text of a key with its places filled. */
export function t(key, values = {}) {
  return form(key, values).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? printed(values[name]) : whole));
}

/** Counts as the language writes them, with thin spaces; everything else as it is. */
function printed(value) {
  if (typeof value !== "number") return String(value);
  const parts = new Intl.NumberFormat(locale()).formatToParts(value);
  return parts.map((part) => (part.type === "group" ? "\u202f" : part.value)).join("");
}

/** The same as a list of texts and nodes, for places that hold elements. */
export function rich(key, values) {
  return form(key, values)
    .split(/(\{\w+\})/)
    .filter(Boolean)
    .map((piece) => (piece.startsWith("{") && piece.slice(1, -1) in values ? values[piece.slice(1, -1)] : piece));
}
