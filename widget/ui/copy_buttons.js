// @ts-check
import { copyText } from './clipboard.js';
import { el, webAddress } from './dom.js';
import { icon } from './icons.js';

/** For how long a button says that it has copied. */
const SAID = 2500;

/**
 * @param {{words: import('../types.d.ts').Words, key: string, label: string, text: string, blue?: boolean,
 *   field?: HTMLInputElement | null}} props `field` shows the text already, where it must be selected by hand
 */
export function copyButton({ words, key, label, text, blue = false, field = null }) {
  const look = `dealpay-button${blue ? ' dealpay-button-blue' : ''}`;
  const button = el('button', { type: 'button', class: look, 'data-key': key });
  return copying(button, text, field, [icon('copy'), words(label)], words);
}

/**
 * A quiet copy button for a row of the list.
 * @param {{words: import('../types.d.ts').Words, key: string, label: string, text: string}} props
 */
export function copyingButton({ words, key, label, text }) {
  const button = el('button', { type: 'button', class: 'dealpay-link', 'data-key': key });
  return copying(button, text, null, [label], words);
}

/**
 * Copies at a click and says so on the button, read aloud as well, for a moment.
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
    button.removeAttribute('aria-label'); // or its name would be read in the place of what happened
    setTimeout(() => {
      button.replaceChildren(...label);
      if (name) button.setAttribute('aria-label', name);
    }, SAID);
  });
  return button;
}

/**
 * @param {string} url
 * @param {import('../types.d.ts').Words} words
 * @param {string} look class names
 */
export function openLink(url, words, look) {
  return outside(url, words('list.open'), look, look === 'dealpay-button');
}

/**
 * The client's link, to copy by the browser's menu; a press opens a preview instead.
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
 * A link into a tab that knows nothing of Kommo; words alone where the address is no web address.
 * @param {string} url
 * @param {string} text
 * @param {string} look class names
 * @param {boolean} pictured
 */
export function outside(url, text, look, pictured) {
  const where = { href: webAddress(url), target: '_blank', rel: 'noopener noreferrer' };
  return el('a', { class: look, ...where }, pictured && icon('open'), text);
}
