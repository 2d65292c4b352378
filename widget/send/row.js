// @ts-check

import { copyingButton, outside } from '../ui/copy_buttons.js';
import { el, webAddress } from '../ui/dom.js';
import { qrFold } from '../ui/qr/view.js';
import { mailAddress, whatsAppAddress } from './addresses.js';
import { payerOf } from './contacts.js';
import { messageOf } from './message.js';
import { named } from './names.js';

/**
 * @typedef {{words: import('../types.d.ts').Words, lang: string, message: string,
 *   actions: import('../card/controller.js').Actions}} SendProps
 */

/**
 * Returns the ways to send a link: WhatsApp, e-mail, the system's share sheet if there is one, and the message to
 * copy.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../types.d.ts').Contact[]} contacts
 * @param {SendProps} props
 * @returns {HTMLElement[]}
 */
export function sendLinks(request, contacts, props) {
  const { words } = props;
  if (!webAddress(request.url)) return [];
  const payer = payerOf(request, contacts);
  const text = messageOf(request, payer, props);
  const whatsApp = outside(whatsAppAddress(text, payer), words('send.whatsapp'), 'dealpay-link', false);
  const mail = el('a', {
    class: 'dealpay-link',
    href: mailAddress(text, request.description, payer),
    text: words('send.email'),
  });
  const copy = copyingButton({ words, key: `message-${request.id}`, label: words('send.message'), text });
  const made = [whatsApp, mail, ...shareButton(request, text, props), copy];
  for (const one of made) one.setAttribute('aria-label', named(one, request, props));
  if (payer?.phone) whatsApp.title = `${payer.name} ${payer.phone}`.trim();
  if (payer?.email) mail.title = payer.email;
  return made;
}

/**
 * Returns the link's QR code behind a fold.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {string | null} unfolded the request whose code is shown
 * @param {SendProps} props
 */
export function codeFold(request, unfolded, { words, lang, actions }) {
  const fold = qrFold(request.url, words, {
    open: unfolded === request.id,
    key: `code-${request.id}`,
    onToggle: (open) => actions.showCode(request.id, open),
  });
  const title = fold?.firstElementChild;
  if (title instanceof HTMLElement) title.setAttribute('aria-label', named(title, request, { words, lang }));
  return fold;
}

/**
 * Returns the button of the system's share sheet, which phones and some computers have.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {string} text
 * @param {SendProps} props
 */
function shareButton(request, text, { words }) {
  if (typeof navigator.share !== 'function') return [];
  const share = () => {
    // Closing the sheet is no error; if Kommo's frame forbids it, the other ways remain.
    navigator.share({ title: request.description, text }).catch(() => {});
  };
  return [
    el('button', {
      type: 'button',
      class: 'dealpay-link',
      'data-key': `share-${request.id}`,
      text: words('send.share'),
      on: { click: share },
    }),
  ];
}
