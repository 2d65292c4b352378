// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el, ownKeys } from '../ui/dom.js';
import { formatAmount, parseAmount } from '../ui/money.js';

const REASONS = ['requested_by_customer', 'duplicate', 'fraudulent'];

/**
 * What a question's look depends on; not what is typed into it, or each key would draw it anew.
 * @param {import('../card/state.js').Question | null} asked
 */
export function questionKey(asked) {
  return asked && [asked.what, asked.id, asked.sending, asked.problem?.message, asked.problem?.code];
}

/**
 * @param {import('../card/state.js').Question} asked
 * @param {import('./list.js').ListGiven} given
 */
export function cancelQuestion(asked, given) {
  const { words } = given;
  const yes = words(asked.sending ? 'list.cancelling' : 'list.cancel_yes');
  const sentence = el('p', { class: 'dealpay-small', text: words('list.cancel_ask') });
  return question(asked, given, [sentence], answers(asked, given, yes));
}

/**
 * How much goes back, and why; the button says the amount that will be sent.
 * @param {import('../card/state.js').Question} asked
 * @param {import('./list.js').ListGiven} given
 */
export function refundQuestion(asked, given) {
  const { words } = given;
  const buttons = answers(asked, given, '');
  const yes = /** @type {HTMLElement} */ (buttons.firstElementChild);
  const label = () => {
    yes.textContent = asked.sending ? words('refund.sending') : words('refund.yes', { amount: typed(asked, given) });
  };
  label();
  const fields = [
    labelled(words('refund.amount'), amountField(asked, label)),
    labelled(words('refund.reason'), reasonField(asked, words)),
  ];
  return question(asked, given, fields, buttons);
}

/** @param {import('../card/state.js').Question} asked */
function refundOf({ refund }) {
  return /** @type {NonNullable<import('../card/state.js').Question['refund']>} */ (refund);
}

/**
 * The amount that was typed, as it was understood.
 * @param {import('../card/state.js').Question} asked
 * @param {import('./list.js').ListGiven} given
 */
function typed(asked, { lang }) {
  const { amount, currency } = refundOf(asked);
  return formatAmount({ amount: parseAmount(amount, currency, lang) ?? '0', currency }, lang);
}

/**
 * @param {import('../card/state.js').Question} asked
 * @param {() => void} changed
 */
function amountField(asked, changed) {
  const look = { class: 'dealpay-input', inputmode: 'decimal', autocomplete: 'off', 'data-key': 'refund-amount' };
  const input = /** @type {HTMLInputElement} */ (el('input', { ...look, value: refundOf(asked).amount }));
  input.addEventListener('input', () => {
    refundOf(asked).amount = input.value;
    changed();
  });
  return input;
}

/**
 * @param {import('../card/state.js').Question} asked
 * @param {import('../types.d.ts').Words} words
 */
function reasonField(asked, words) {
  const refund = refundOf(asked);
  const options = ['', ...REASONS].map((value) =>
    el('option', { value, text: words(`refund.reason_${value || 'none'}`), selected: value === refund.reason }),
  );
  const input = el('select', { class: 'dealpay-input dealpay-select', 'data-key': 'refund-reason' }, ...options);
  const select = /** @type {HTMLSelectElement} */ (input);
  select.addEventListener('change', () => {
    refund.reason = select.value;
  });
  return select;
}

/**
 * Enter says yes, Esc leaves it.
 * @param {import('../card/state.js').Question} asked
 * @param {import('./list.js').ListGiven} given
 * @param {HTMLElement[]} inside
 * @param {HTMLElement} buttons
 */
function question(asked, { words, actions }, inside, buttons) {
  const node = el('form', { class: 'dealpay-ask', novalidate: true }, ...inside, fault(asked, words), buttons);
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    actions.asking.confirm();
  });
  ownKeys(node, () => actions.asking.keep());
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
 * @param {import('../card/state.js').Question} asked
 * @param {import('../types.d.ts').Words} words
 */
function fault({ problem }, words) {
  if (!problem) return null;
  return el('p', { class: 'dealpay-alert', role: 'alert', text: sentenceOf(problem, words) });
}

/**
 * @param {import('../card/state.js').Question} asked
 * @param {import('./list.js').ListGiven} given
 * @param {string} yes
 */
function answers({ sending, what }, { words, actions }, yes) {
  const look = 'dealpay-button dealpay-button-small';
  const no = words(what === 'cancel' ? 'list.cancel_no' : 'form.cancel');
  const waits = { 'aria-disabled': sending ? 'true' : null };
  return el(
    'div',
    { class: 'dealpay-buttons' },
    el('button', { type: 'submit', class: `${look} dealpay-button-red`, 'data-key': 'answer', ...waits, text: yes }),
    el('button', { type: 'button', class: look, ...waits, text: no, on: { click: () => actions.asking.keep() } }),
  );
}
