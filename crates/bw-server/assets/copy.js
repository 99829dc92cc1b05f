// Copies the lines beside a button. Where the browser does not let us, it selects them for the keys to copy.

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button.copy");
  const lines = button?.parentElement.querySelector("pre");
  if (!lines) return;
  try {
    await navigator.clipboard.writeText(lines.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(lines);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
});
