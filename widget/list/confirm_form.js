// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el, ownKeys } from '../ui/dom.js';
import { formatAmount, parseAmount } from '../ui/money.js';

const REASONS = ['requested_by_customer', 'duplicate', 'fraudulent'];

/**
 * Returns the data on which a question's look depends, without typed values, or each key press would redraw it.
 * @param {import('../card/state.js').Question | null} question
 */
export function questionKey(question) {
  return (
    question && [
      question.what,
      question.id,
      question.sending,
      question.problem?.message,
      question.problem?.code,
      question.send?.preview,
    ]
  );
}

/**
 * Returns the form that asks whether to cancel a link.
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 */
export function cancelQuestion(question, props) {
  const { words } = props;
  const yes = words(question.sending ? 'list.cancelling' : 'list.cancel_yes');
  const sentence = el('p', { class: 'dealpay-small', text: words('list.cancel_ask') });
  return questionForm(question, props, [sentence], answers(question, props, yes));
}

/**
 * Returns the form that shows the channel and the client's message, and asks whether to send.
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 */
export function sendQuestion(question, props) {
  const { words } = props;
  const preview = question.send?.preview;
  const way = preview ? words(`send.by_${preview.channel}`, { name: preview.name ?? '' }) : words('send.looking');
  const sentences = [
    el('p', { class: 'dealpay-small', text: question.problem && !preview ? '' : way }),
    preview?.message && el('blockquote', { class: 'dealpay-small dealpay-wrap', text: preview.message }),
  ];
  const yes = words(question.sending ? 'send.sending' : 'send.yes');
  return questionForm(question, props, sentences, answers(question, props, yes, Boolean(preview)));
}

/**
 * Returns the form that asks for the refund's amount and reason; its button names the amount that will be sent.
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 */
export function refundQuestion(question, props) {
  const { words } = props;
  const buttons = answers(question, props, '');
  const yes = /** @type {HTMLElement} */ (buttons.firstElementChild);
  const input = amountField(question, props);
  const label = () => {
    const amount = understood(input.value, refundOf(question).currency, props.lang);
    yes.textContent = question.sending ? words('refund.sending') : words('refund.yes', { amount });
  };
  input.addEventListener('input', label);
  label();
  const fields = [
    labelled(words('refund.amount'), input),
    labelled(words('refund.reason'), reasonField(question, props)),
  ];
  return questionForm(question, props, fields, buttons);
}

/** @param {import('../card/state.js').Question} question */
function refundOf({ refund }) {
  return /** @type {NonNullable<import('../card/state.js').Question['refund']>} */ (refund);
}

/**
 * Returns the typed amount, formatted as it was understood.
 * @param {string} text
 * @param {string} currency
 * @param {string} lang
 */
function understood(text, currency, lang) {
  return formatAmount({ amount: parseAmount(text, currency, lang) ?? '0', currency }, lang);
}

/**
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 */
function amountField(question, { actions }) {
  const look = { class: 'dealpay-input', inputmode: 'decimal', autocomplete: 'off', 'data-key': 'refund-amount' };
  const input = /** @type {HTMLInputElement} */ (el('input', { ...look, value: refundOf(question).amount }));
  input.addEventListener('input', () => actions.confirm.edit({ amount: input.value }));
  return input;
}

/**
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 */
function reasonField(question, { words, actions }) {
  const refund = refundOf(question);
  const options = ['', ...REASONS].map((value) =>
    el('option', { value, text: words(`refund.reason_${value || 'none'}`), selected: value === refund.reason }),
  );
  const input = el('select', { class: 'dealpay-input dealpay-select', 'data-key': 'refund-reason' }, ...options);
  const select = /** @type {HTMLSelectElement} */ (input);
  select.addEventListener('change', () => actions.confirm.edit({ reason: select.value }));
  return select;
}

/**
 * Returns a question's form; Enter accepts, Esc dismisses.
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 * @param {(HTMLElement | string | false | undefined | null)[]} inside
 * @param {HTMLElement} buttons
 */
function questionForm(question, { words, actions }, inside, buttons) {
  const node = el('form', { class: 'dealpay-ask', novalidate: true }, ...inside, fault(question, words), buttons);
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    actions.confirm.accept();
  });
  ownKeys(node, () => actions.confirm.dismiss());
  return node;
}

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
function labelled(text, input) {
  return el('label', { class: 'dealpay-field' }, el('span', { class: 'dealpay-label', text }), input);
}

/**
 * @param {import('../card/state.js').Question} question
 * @param {import('../types.d.ts').Words} words
 */
function fault({ problem }, words) {
  if (!problem) return null;
  return el('p', { class: 'dealpay-alert', role: 'alert', text: sentenceOf(problem, words) });
}

/**
 * Returns the two buttons of a question.
 * @param {import('../card/state.js').Question} question
 * @param {import('./list.js').ListProps} props
 * @param {string} yes
 * @param {boolean} ready whether *yes* can be pressed yet
 */
function answers({ sending, what }, { words, actions }, yes, ready = true) {
  const look = 'dealpay-button dealpay-button-small';
  const color = what === 'send' ? 'dealpay-button-blue' : 'dealpay-button-red';
  const no = words(what === 'cancel' ? 'list.cancel_no' : 'form.cancel');
  const waits = { 'aria-disabled': sending ? 'true' : null };
  const yesWaits = { 'aria-disabled': sending || !ready ? 'true' : null };
  return el(
    'div',
    { class: 'dealpay-buttons' },
    el('button', { type: 'submit', class: `${look} ${color}`, 'data-key': 'answer', ...yesWaits, text: yes }),
    el('button', { type: 'button', class: look, ...waits, text: no, on: { click: () => actions.confirm.dismiss() } }),
  );
}
