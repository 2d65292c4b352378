// @ts-check
import { copyText } from './clipboard.js';
import { el, webAddress } from './dom.js';
import { icon } from './icons.js';

/** Milliseconds for which a button says that it has copied. */
const SAID = 2500;

/**
 * Returns a large copy button.
 * @param {{words: import('../types.d.ts').Words, key: string, label: string, text: string, blue?: boolean,
 *   field?: HTMLInputElement | null}} props `field` shows the text, for selecting it by hand
 */
export function copyButton({ words, key, label, text, blue = false, field = null }) {
  const look = `dealpay-button${blue ? ' dealpay-button-blue' : ''}`;
  const button = el('button', { type: 'button', class: look, 'data-key': key });
  return copying(button, text, field, [icon('copy'), words(label)], words);
}

/**
 * Returns a quiet copy button for a row of the list.
 * @param {{words: import('../types.d.ts').Words, key: string, label: string, text: string}} props
 */
export function copyingButton({ words, key, label, text }) {
  const button = el('button', { type: 'button', class: 'dealpay-link', 'data-key': key });
  return copying(button, text, null, [label], words);
}

/**
 * Makes a button copy on a click and report it for a moment, to screen readers as well.
 * @param {HTMLElement} button
 * @param {string} text
 * @param {HTMLInputElement | null} field
 * @param {(Node | string)[]} label
 * @param {import('../types.d.ts').Words} words
 */
function copying(button, text, field, label, words) {
  button.setAttribute('aria-live', 'polite');
  button.replaceChildren(...label);
  button.addEventListener('click', async () => {
    const copied = await copyText(text, field);
    const name = button.getAttribute('aria-label');
    button.replaceChildren(...(copied ? [icon('done'), words('created.copied')] : [words('created.copy_failed')]));
    button.removeAttribute('aria-label'); // else the label would hide the result from screen readers
    setTimeout(() => {
      button.replaceChildren(...label);
      if (name) button.setAttribute('aria-label', name);
    }, SAID);
  });
  return button;
}

/**
 * Returns a link that opens in a new tab.
 * @param {string} url
 * @param {import('../types.d.ts').Words} words
 * @param {string} look class names
 */
export function openLink(url, words, look) {
  return outside(url, words('list.open'), look, look === 'dealpay-button');
}

/**
 * Returns the client's link: the browser's menu copies it, a click opens a preview instead.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {{words: import('../types.d.ts').Words, actions: import('../card/controller.js').Actions}} props
 * @param {string} look class names
 */
export function previewLink({ id, url }, { words, actions }, look) {
  const link = openLink(url, words, look);
  if (!webAddress(url)) return link;
  const open = (/** @type {MouseEvent} */ event) => {
    if (event.button > 1) return;
    event.preventDefault();
    actions.preview(id);
  };
  link.addEventListener('click', open);
  link.addEventListener('auxclick', open);
  return link;
}

/**
 * Returns a link whose tab has no reference to Kommo's page; plain text unless it is a web address.
 * @param {string} url
 * @param {string} text
 * @param {string} look class names
 * @param {boolean} pictured
 */
export function outside(url, text, look, pictured) {
  const where = { href: webAddress(url), target: '_blank', rel: 'noopener noreferrer' };
  return el('a', { class: look, ...where }, pictured && icon('open'), text);
}
