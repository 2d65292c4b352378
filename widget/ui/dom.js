// @ts-check

/** @typedef {{on?: Record<string, (event: Event) => void>, [name: string]: unknown}} Attributes */

/**
 * Returns an element; `text` and children become text nodes, so no data is ever parsed as HTML.
 * @param {string} tag
 * @param {Attributes} [attributes] `class`, `text`, `on` (event → listener), everything else unchanged
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') node.textContent = String(value);
    else if (name === 'on') listen(node, /** @type {Record<string, EventListener>} */ (value));
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child || child === '').map((child) => /** @type {Node|string} */ (child)));
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Record<string, EventListener>} listeners
 */
function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

/**
 * Handles keys in a form of ours: Esc leaves it, Kommo's card gets no key press, and an Enter still held from opening
 * the form does not send it.
 * @param {HTMLElement} node
 * @param {() => void} leave
 */
export function ownKeys(node, leave) {
  node.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Enter' && event.repeat) event.preventDefault();
    if (event.key === 'Escape') leave();
  });
}

/**
 * Returns a function that repaints `node` only if its data changed; the focus stays on the element with the same
 * `data-key`.
 * @param {HTMLElement} node
 */
export function slot(node) {
  let shown = '';
  /**
   * @param {unknown} shows everything the painting depends on, as plain data
   * @param {() => (Node | string | null | false | undefined)[]} paint
   */
  return (shows, paint) => {
    const key = JSON.stringify(shows);
    if (key === shown) return;
    shown = key;
    const focused = focusedKey(node);
    const caret = caretOf(document.activeElement);
    node.replaceChildren(
      ...paint()
        .filter((child) => !!child)
        .map((child) => /** @type {Node|string} */ (child)),
    );
    if (focused) focusKey(node, focused);
    if (focused && caret) setCaret(document.activeElement, caret);
  };
}

/** @param {Element | null} node */
function caretOf(node) {
  return node instanceof HTMLInputElement ? [node.selectionStart, node.selectionEnd] : null;
}

/**
 * @param {Element | null} node
 * @param {(number | null)[]} caret
 */
function setCaret(node, [start, end]) {
  if (node instanceof HTMLInputElement) node.setSelectionRange(start, end);
}

/** @param {HTMLElement} node */
function focusedKey(node) {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && node.contains(focused) ? focused.dataset.key : undefined;
}

/**
 * Moves the focus to the element with this `data-key`.
 * @param {HTMLElement} node
 * @param {string} key
 */
export function focusKey(node, key) {
  const found = [...node.querySelectorAll('[data-key]')].find((one) => one.getAttribute('data-key') === key);
  if (found instanceof HTMLElement) found.focus();
}

/**
 * Returns `url` if it is a web address, else null: nothing else becomes a link, whatever the backend sent.
 * @param {string} url
 */
export function webAddress(url) {
  return /^https?:\/\//i.test(url) ? url : null;
}
