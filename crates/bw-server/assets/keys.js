// The keyboard: `/` search, `j` `k` move, Enter opens (it is a link), `g o` overview, `?` help.

const HELP = [["/", "search"], ["j", "next monitor"], ["k", "previous monitor"], ["Enter", "open"], ["g o", "overview"], ["g i", "incidents"], ["n", "new monitor"], ["?", "this help"]];
const GO = { o: "/", i: "/ui/incidents", d: "/ui/deliveries", s: "/ui/system" };
let went = 0;

const rows = () => [...document.querySelectorAll(".card, .rows td a, .list td a")];

function step(by) {
  const all = rows();
  const here = all.findIndex((row) => row === document.activeElement || row.closest("tr")?.contains(document.activeElement));
  const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function help() {
  let dialog = document.getElementById("help");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "help";
    const title = document.createElement("h2");
    title.textContent = "Keys";
    const list = document.createElement("dl");
    list.className = "facts";
    for (const [keys, meaning] of HELP) {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      for (const key of keys.split(" ")) {
        const kbd = document.createElement("kbd");
        kbd.textContent = key;
        dt.append(kbd, " ");
      }
      dd.textContent = meaning;
      list.append(dt, dd);
    }
    const close = document.createElement("button");
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.append(title, list, close);
    document.body.append(dialog);
  }
  dialog.open ? dialog.close() : dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && field?.type === "search") return field.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || field) return;
  const going = Date.now() - went < 1500;
  went = 0;
  if (going && GO[event.key]) location.href = GO[event.key];
  else if (event.key === "g") went = Date.now();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "n") location.href = "/ui/monitors/new";
  else if (event.key === "?") help();
  else if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (!search) location.href = "/";
    else {
      event.preventDefault();
      search.select();
      search.focus();
    }
  }
});
