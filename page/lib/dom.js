// Creates elements. Text is always inserted as text, never parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element with attributes and children (nodes, text, or lists of them). An attribute that is true is present;
 * one that is false or null is absent; `on...` is a listener; one that begins with -- is a custom property of its style.
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** The element with this id, which the page has. */
export const byId = (id) => document.getElementById(id);

/** Change an element's text only where it differs, so that screen readers and selections are left alone. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Draw the content of `root` again; the focus goes to the control that takes the place of the one that had it. */
export function redraw(root, draw) {
  const focused = document.activeElement;
  const key = root.contains(focused) ? keyOf(focused) : null;
  draw();
  if (key) [...root.querySelectorAll("a, button, input, select, [tabindex]")].find((node) => keyOf(node) === key)?.focus({ preventScroll: true });
}

const keyOf = (node) => node.dataset.id ?? node.getAttribute("aria-label") ?? node.getAttribute("href") ?? node.textContent;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

function set(node, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name.startsWith("--")) node.style.setProperty(name, value);
  else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? "" : value);
}
