// Under the pointer: what a column of a chart says, written below it, and instants in the reader's own zone.

function read(event) {
  const hit = event.target.closest?.(".hit");
  const said = hit?.querySelector("title")?.textContent;
  const out = hit?.closest("figure")?.querySelector(".readout");
  if (said && out) out.textContent = said;
}

function local(event) {
  const time = event.target.closest?.("time[datetime]");
  if (!time || time.dataset.local) return;
  const at = new Date(time.getAttribute("datetime").replace(" ", "T"));
  const shown = at.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  const zone = Intl.DateTimeFormat([], { timeZoneName: "short" }).formatToParts(at).find((part) => part.type === "timeZoneName");
  if (zone && !["UTC", "GMT"].includes(zone.value)) time.dataset.local = `${shown} ${zone.value}`;
}

for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, (event) => {
    read(event);
    local(event);
  });
}
