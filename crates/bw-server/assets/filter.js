// The filter of a list answers while one types: the same form, asked of the same server, in place.

import { refresh } from "./refresh.js";

const form = document.querySelector("form.tools");
let timer = 0;

function apply() {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) asked.append(name, value);
  history.replaceState(null, "", asked.size ? `${form.action}?${asked}` : form.action);
  refresh();
}

if (form) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 150);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    apply();
  });
}
