// @ts-check
import { copyText } from './clipboard.js';
import { el, webAddress } from './dom.js';
import { formatAmount } from './money.js';
import { qrFold } from './qr_picture.js';

/**
 * The link that was just made: copy, open, a message with the link in it.
 * @param {import('./types').PaymentRequest} request
 * @param {{words: import('./types').Words, lang: string, leadId: number, message: string, actions: import('./deal.js').DealCard}} given
 */
export function createdPanel(request, { words, lang, leadId, message, actions }) {
  const amount = formatAmount(request, lang);
  const field = /** @type {HTMLInputElement} */ (
    el('input', {
      class: 'dealpay-input dealpay-url',
      readonly: true,
      value: request.url,
      'aria-label': words('created.link'),
      on: { focus: () => field.select() },
    })
  );
  const text = (message || words('created.message_text')).replace(/\{(link|amount)\}/g, (_, name) =>
    name === 'link' ? request.url : amount,
  );
  const whole = text.includes(request.url) ? text : `${text} ${request.url}`;
  return el(
    'section',
    { class: 'dealpay-box dealpay-created', 'aria-labelledby': `dealpay-created-${leadId}` },
    el('h3', { class: 'dealpay-title', id: `dealpay-created-${leadId}`, text: words('created.title') }),
    el('p', { class: 'dealpay-small', text: `${amount} · ${request.description}` }),
    field,
    el(
      'div',
      { class: 'dealpay-buttons' },
      copyButton({ words, key: 'copy-created', label: 'created.copy', blue: true, text: request.url, field }),
      openLink(request.url, words, 'dealpay-button'),
    ),
    copyButton({ words, key: 'copy-message', label: 'created.message', blue: false, text: whole, field: null }),
    qrFold(request.url, words),
    el('button', {
      type: 'button',
      class: 'dealpay-link',
      'data-key': 'done',
      text: words('created.done'),
      on: { click: () => actions.close() },
    }),
  );
}

/**
 * @param {{words: import('./types').Words, key: string, label: string, blue: boolean, text: string,
 *   field: HTMLInputElement | null}} given
 */
function copyButton({ words, key, label, blue, text, field }) {
  const look = `dealpay-button${blue ? ' dealpay-button-blue' : ''}`;
  return copying(el('button', { type: 'button', class: look, 'data-key': key }), text, field, words(label), words);
}

/**
 * A quiet copy button for a row of the list.
 * @param {string} url
 * @param {string} id
 * @param {import('./types').Words} words
 */
export function copyLink(url, id, words) {
  const button = el('button', { type: 'button', class: 'dealpay-link', 'data-key': `copy-${id}` });
  return copying(button, url, null, words('list.copy'), words);
}

/**
 * Copies at a click and says so on the button, read aloud as well, for a moment.
 * @param {HTMLElement} button
 * @param {string} text
 * @param {HTMLInputElement | null} field
 * @param {string} label
 * @param {import('./types').Words} words
 */
function copying(button, text, field, label, words) {
  button.setAttribute('aria-live', 'polite');
  button.textContent = label;
  button.addEventListener('click', async () => {
    button.textContent = words((await copyText(text, field)) ? 'created.copied' : 'created.copy_failed');
    setTimeout(() => {
      button.textContent = label;
    }, 2500);
  });
  return button;
}

/**
 * @param {string} url
 * @param {import('./types').Words} words
 * @param {string} look class names
 */
export function openLink(url, words, look) {
  return el('a', {
    class: look,
    href: webAddress(url),
    target: '_blank',
    rel: 'noopener noreferrer',
    text: words('list.open'),
  });
}
