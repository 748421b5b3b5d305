// Light or dark: the choice of the user, else that of the system. ?theme=dark fixes it for a link or a picture.

const KEPT = "cityvitals-theme";
const root = document.documentElement;

/** Apply the choice, at the start. */
export function applyTheme() {
  const asked = new URLSearchParams(location.search).get("theme") ?? stored();
  if (asked === "dark" || asked === "light") root.dataset.theme = asked;
}

function stored() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Whether it is dark now. */
export const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

/** Change to the other one and keep that. */
export function switchTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem(KEPT, root.dataset.theme);
  } catch {
    // kept for this page only
  }
  dispatchEvent(new Event("themechange"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("themechange")));

/** The present value of a colour token, for what is drawn on a canvas. */
export function colour(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
