// Keeps a page fresh: asks for the same address, and changes only what has changed, so that focus, selection,
// scroll position and opened details stay. When the server does not answer, the page turns grey and says since when.

import { morph } from "./morph.js";

const main = document.querySelector("main");
const lost = document.getElementById("lost");
let answered = Date.now();
let timer = 0;
let busy = false;
let again = false;

const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false, timeZoneName: "short" });

function grey(since) {
  document.body.classList.toggle("stale", since !== null);
  lost.hidden = since === null;
  if (since !== null) lost.lastElementChild.textContent = `No answer since ${clock(since)}: what you see may be old.`;
}

function take(page) {
  document.title = page.title;
  document.body.classList.toggle("behind", page.body.classList.contains("behind"));
  for (const selector of ["link[rel=icon]", "#age", "#behind"]) {
    const [old, fresh] = [document.querySelector(selector), page.querySelector(selector)];
    if (old && fresh) morph(old, fresh);
    else if (old) old.remove();
    else if (fresh) main.before(document.adoptNode(fresh));
  }
  morph(main, page.querySelector("main"));
}

export async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  again = false;
  clearTimeout(timer);
  const address = location.href;
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
    // Signed out, deleted or moved: a page of its own, not news for this one.
    if (answer.redirected || answer.status === 401 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (location.href === address) take(page);
    answered = Date.now();
    grey(null);
  } catch {
    grey(answered);
  } finally {
    busy = false;
    if (again) refresh();
    else plan();
  }
}

function plan() {
  clearTimeout(timer);
  const seconds = Number(main.dataset.refresh);
  if (seconds > 0 && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (Number(main.dataset.refresh) > 0 && Date.now() - answered > 1000) refresh();
});
plan();
