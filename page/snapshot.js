// The city snapshot: the wheel of the 22 categories, fetched when it is opened. Drawn by the server.

import { getPicture, hasToken } from "./api.js";
import { byId, el, setText } from "./dom.js";

const BAND_TEXT = "the picture's own description names every category with its score";

/** Offer the snapshot of the newest year where there is one; each opening shows what the store holds then. */
export function offerSnapshot(context) {
  const years = context.values.ofKind("year").map((kpi) => kpi.period);
  const box = byId("snapshot");
  box.hidden = years.length === 0;
  if (box.hidden) return;
  const year = years.sort().at(-1);
  setText(byId("snapshot-name"), `City snapshot of ${year}: 22 categories against the city's own targets`);
  box.ontoggle = () => box.open && draw(context.values.city, year);
  if (box.open) draw(context.values.city, year);
}

async function draw(city, year) {
  const address = `/v1/cities/${encodeURIComponent(city)}/snapshot.svg?period=${encodeURIComponent(year)}`;
  const box = byId("snapshot-picture");
  try {
    const src = await getPicture(address);
    box.replaceChildren(el("img", { src, alt: `City snapshot of ${year}; ${BAND_TEXT}`, width: 1000, height: 820 }));
  } catch (error) {
    box.replaceChildren(el("p", {}, error.message));
    return;
  }
  // A link cannot send a token.
  if (!hasToken()) box.append(el("p", {}, el("a", { href: address }, "Open the picture alone")));
}
