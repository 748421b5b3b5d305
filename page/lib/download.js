// Files of what a view shows. With a token they are fetched and handed over, because a link could not send it.

import { getFile, hasToken } from "./api.js";
import { el } from "./dom.js";
import { button } from "./parts.js";

/** CSV and XLSX of an address of the API, under a name. */
export function downloads(path, name) {
  const more = path.includes("?") ? "&" : "?";
  return ["csv", "xlsx"].map((form) => fileLink(form.toUpperCase(), `${path}${more}format=${form}`, `${name}.${form}`));
}

/** One file of an address of the API, under a name. */
export function fileLink(words, path, name) {
  if (!hasToken()) return el("a", { class: "button", href: path, download: name }, words);
  return button(words, async () => save(await getFile(path), name));
}

/** SVG and PNG of a chart. */
export function pictures(chart, name) {
  const vector = () => new Blob([chart().svg()], { type: "image/svg+xml" });
  return [
    button("SVG", () => save(vector(), `${name}.svg`)),
    button("PNG", async () => save(await painted(chart().svg()), `${name}.png`)),
  ];
}

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function painted(text) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el("canvas", { width: image.naturalWidth * 2, height: image.naturalHeight * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
