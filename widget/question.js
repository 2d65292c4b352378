// @ts-check
import { el } from './dom.js';
import { formatAmount, parseAmount } from './money.js';
import { sentenceOf } from './page.js';

const REASONS = ['requested_by_customer', 'duplicate', 'fraudulent'];

/** @typedef {import('./list.js').Given} Given */

/**
 * What a question's look depends on; not what is typed into it, or each key would draw it anew.
 * @param {import('./state.js').Question | null} asked
 */
export function questionKey(asked) {
  return asked && [asked.what, asked.id, asked.sending, asked.problem?.message, asked.problem?.code];
}

/**
 * @param {import('./state.js').Question} asked
 * @param {Given} given
 */
export function cancelQuestion(asked, given) {
  const { words } = given;
  return el(
    'div',
    { class: 'dealpay-ask' },
    el('p', { class: 'dealpay-small', text: words('list.cancel_ask') }),
    fault(asked, words),
    answers(asked, given, words(asked.sending ? 'list.cancelling' : 'list.cancel_yes')),
  );
}

/**
 * How much goes back, and why; the button says the amount that will be sent.
 * @param {import('./state.js').Question} asked
 * @param {Given} given
 */
export function refundQuestion(asked, given) {
  const { words, lang } = given;
  const refund = /** @type {NonNullable<import('./state.js').Question['refund']>} */ (asked.refund);
  const input = /** @type {HTMLInputElement} */ (
    el('input', { class: 'dealpay-input', inputmode: 'decimal', autocomplete: 'off', 'data-key': 'refund-amount' })
  );
  const options = ['', ...REASONS].map((value) =>
    el('option', { value, text: words(`refund.reason_${value || 'none'}`), selected: value === refund.reason }),
  );
  const reason = el('select', { class: 'dealpay-input dealpay-select', 'data-key': 'refund-reason' }, ...options);
  const buttons = answers(asked, given, '');
  const yes = /** @type {HTMLElement} */ (buttons.firstElementChild);
  const label = () => {
    const amount = parseAmount(input.value, refund.currency, lang) ?? '0';
    const text = formatAmount({ amount, currency: refund.currency }, lang);
    yes.textContent = asked.sending ? words('refund.sending') : words('refund.yes', { amount: text });
  };
  input.value = refund.amount;
  input.addEventListener('input', () => {
    refund.amount = input.value;
    label();
  });
  reason.addEventListener('change', () => {
    refund.reason = /** @type {HTMLSelectElement} */ (reason).value;
  });
  label();
  return el(
    'div',
    { class: 'dealpay-ask' },
    labelled(words('refund.amount'), input),
    labelled(words('refund.reason'), reason),
    fault(asked, words),
    buttons,
  );
}

/**
 * @param {string} text
 * @param {HTMLElement} input
 */
function labelled(text, input) {
  return el('label', { class: 'dealpay-field' }, el('span', { class: 'dealpay-label', text }), input);
}

/**
 * @param {import('./state.js').Question} asked
 * @param {import('./types').Words} words
 */
function fault({ problem }, words) {
  if (!problem) return null;
  return el('p', { class: 'dealpay-alert', role: 'alert', text: sentenceOf(problem, words) });
}

/**
 * @param {import('./state.js').Question} asked
 * @param {Given} given
 * @param {string} yes
 */
function answers({ sending, what }, { words, actions }, yes) {
  return el(
    'div',
    { class: 'dealpay-buttons' },
    el('button', {
      type: 'button',
      class: 'dealpay-button dealpay-button-small dealpay-button-red',
      'data-key': 'answer',
      'aria-disabled': sending ? 'true' : null,
      text: yes,
      on: { click: () => actions.asking.confirm() },
    }),
    el('button', {
      type: 'button',
      class: 'dealpay-button dealpay-button-small',
      text: words(what === 'cancel' ? 'list.cancel_no' : 'form.cancel'),
      on: { click: () => actions.asking.keep() },
    }),
  );
}
