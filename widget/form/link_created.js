// @ts-check

import { daysOf } from '../list/amount_line.js';
import { cancelQuestion, sendQuestion } from '../list/confirm_form.js';
import { codeFold, sendLinks } from '../send/row.js';
import { copyButton, previewLink } from '../ui/copy_buttons.js';
import { el } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { formatAmount } from '../ui/money.js';

/**
 * @typedef {{words: import('../types.d.ts').Words, lang: string, leadId: number, message: string,
 *   actions: import('../card/controller.js').Actions}} CreatedProps
 */

/**
 * Returns the panel of a link that was just created: copy, open, send, QR code, and the way back.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {{question: import('../card/state.js').Question | null, contacts: import('../types.d.ts').Contact[],
 *   code: string | null}} state `question`: the open question whether to send or to cancel it
 * @param {CreatedProps} props
 */
export function createdPanel(request, { question, contacts, code }, props) {
  const { words, lang, leadId } = props;
  const name = `dealpay-created-${leadId}`;
  const field = urlField(request.url, words);
  return el(
    'section',
    { class: 'dealpay-box dealpay-created', 'aria-labelledby': name },
    el('h3', { class: 'dealpay-title dealpay-done', id: name }, icon('done'), words('created.title')),
    el(
      'p',
      { class: 'dealpay-small dealpay-wrap' },
      `${formatAmount(request, lang)} · `,
      el('bdi', { text: request.description }),
    ),
    daysOf(request, undefined, props),
    field,
    el('div', { class: 'dealpay-buttons' }, ...linkButtons(request, field, props)),
    el('p', { class: 'dealpay-actions' }, ...sendLinks(request, contacts, props)),
    codeFold(request, code, props),
    question ? asked(question, props) : ending(request, props),
  );
}

/**
 * @param {string} url
 * @param {import('../types.d.ts').Words} words
 */
function urlField(url, words) {
  const look = { class: 'dealpay-input dealpay-url', readonly: true, value: url, 'aria-label': words('created.link') };
  const field = /** @type {HTMLInputElement} */ (el('input', look));
  field.addEventListener('focus', () => field.select());
  return field;
}

/**
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {HTMLInputElement} field
 * @param {CreatedProps} props
 */
function linkButtons(request, field, props) {
  const { words } = props;
  const copy = { words, key: 'copy-created', label: 'created.copy', blue: true, text: request.url, field };
  const send = el('button', {
    type: 'button',
    class: 'dealpay-button',
    'data-key': `send-${request.id}`,
    text: words('send.now'),
    on: { click: () => props.actions.confirm.send(request.id) },
  });
  return [copyButton(copy), send, previewLink(request, props, 'dealpay-button')];
}

/**
 * @param {import('../card/state.js').Question} question
 * @param {CreatedProps} props
 */
function asked(question, props) {
  return question.what === 'send' ? sendQuestion(question, props) : cancelQuestion(question, props);
}

/**
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {CreatedProps} props
 */
function ending(request, { words, actions }) {
  /** @param {string} key @param {string} text @param {() => void} click */
  const link = (key, text, click) =>
    el('button', { type: 'button', class: 'dealpay-link', 'data-key': key, text: words(text), on: { click } });
  return el(
    'p',
    { class: 'dealpay-row' },
    link('done', 'created.done', () => actions.form.close()),
    link(`cancel-${request.id}`, 'created.cancel', () => actions.confirm.cancel(request.id)),
  );
}
