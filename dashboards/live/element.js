/** Elements made of text only: what comes out of the table is never read as HTML. */

export function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}

/** Sets a text only where it differs, so that a selection on the page survives the updates. */
export function setText(target, content) {
  if (target.textContent !== content) target.textContent = content;
}

/** Makes `parent` hold one child per item, keyed by position: made once, then only filled anew. */
export function fill(parent, items, make, update) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, index) => {
    update(parent.children[index], item);
  });
}
