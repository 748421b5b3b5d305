// The form for a token, where the server needs one.

import { hasToken, useToken } from "./api.js";
import { byId, setText } from "./dom.js";

/** Ask for a token, then load the page again with it. `why`: the server's sentence about the token that was sent. */
export function askForToken(why) {
  const form = byId("entry");
  setText(byId("entry-why"), hasToken() ? `The token was rejected: ${why}` : "These values are not public.");
  useToken("");
  form.hidden = false;
  byId("empty").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(byId("token").value.trim());
    location.reload();
  });
  byId("token").focus();
}
