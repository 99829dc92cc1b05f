// Makes one element like another and touches nothing that is alike already. Children are matched by id where they
// have one, else by their place. What people did to the page stays: opened details, what stands in a field that
// has the focus, an open dialogue.

const KEPT = { DETAILS: ["open"], DIALOG: ["open"], INPUT: ["value", "checked"], OPTION: ["selected"] };

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(document.adoptNode(fresh));
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) {
      old.data = fresh.data;
      mark(old.parentElement);
    }
    return;
  }
  attributes(old, fresh);
  if (old.nodeName !== "TEXTAREA") children(old, fresh);
}

function attributes(old, fresh) {
  const kept = KEPT[old.nodeName] ?? [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name) && name !== "data-local") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
  }
}

function children(old, fresh) {
  const known = new Map();
  for (const child of old.children) if (child.id) known.set(child.id, child);
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const same = next.id ? known.get(next.id) : at && !at.id && at.nodeName === next.nodeName ? at : null;
    if (!same) {
      old.insertBefore(document.adoptNode(next), at);
    } else {
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      known.delete(next.id);
      morph(same, next);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// Shows for a moment which cell has changed; ages change always and are not worth a look.
function mark(element) {
  const cell = element?.closest("td, dd, h1");
  if (!cell || element.closest("time")) return;
  cell.classList.remove("changed");
  requestAnimationFrame(() => cell.classList.add("changed"));
}
