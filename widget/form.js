// @ts-check
import { BUILD } from './build.js';
import { el } from './dom.js';
import { Fields } from './fields.js';
import { formatAmount, parseAmount, shareOf } from './money.js';
import { sentenceOf } from './page.js';
import { restOpen, suggestedAmount } from './suggest.js';

const SHARES = [10, 30, 50];
const INTERVALS = ['day', 'week', 'month', 'year'];

/** The form of one draft. The inputs are made once; `refresh` shows what became of the draft (under way, refused). */
export class PaymentForm {
  /**
   * @param {import('./draft.js').Draft} draft
   * @param {import('./types').Deal} deal
   * @param {{words: import('./types').Words, lang: string, leadId: number,
   *   actions: import('./deal.js').DealCard}} given
   */
  constructor(draft, deal, { words, lang, leadId, actions }) {
    this.draft = draft;
    this.deal = deal;
    this.words = words;
    this.lang = lang;
    this.actions = actions;
    this.fields = new Fields(draft.values, words, `dealpay-${leadId}`, (key) => this.changed(key));
    this.parts = this.makeParts();
    this.alert = el('p', { class: 'dealpay-alert', role: 'alert', tabindex: '-1', hidden: true });
    this.buttons = this.makeButtons();
    this.node = this.makeForm();
    this.refresh();
  }

  /** The rows of the form; a refusal stands below its row. */
  makeParts() {
    const { fields, words } = this;
    const numeric = { inputmode: 'numeric' };
    const money = { inputmode: 'decimal', placeholder: '0' };
    const kinds = ['full', 'deposit', ...(restOpen(this.deal) ? ['rest'] : []), 'subscription'];
    const named = (/** @type {string} */ group, /** @type {string[]} */ names) =>
      names.map((name) => /** @type {[string, string]} */ ([name, words(`${group}.${name}`)]));
    return {
      kind: this.row(['kind'], fields.select('kind', 'kind', named('kind', kinds))),
      total: this.row(['deal_total'], fields.text('deal_total', 'total', money), this.makeShares()),
      amount: this.row(
        ['amount', 'currency'],
        pair('', fields.text('amount', 'amount', money), fields.select('currency', 'currency', this.currencies())),
      ),
      repeat: this.row(
        ['interval_count', 'interval'],
        pair(
          'dealpay-pair-even',
          fields.text('interval_count', 'intervalCount', numeric),
          fields.select('interval', 'interval', named('interval', INTERVALS)),
        ),
      ),
      description: this.row(['description'], fields.text('description', 'description', { maxlength: '250' })),
    };
  }

  /**
   * @param {string[]} names whose refusals stand here
   * @param {...HTMLElement} nodes
   */
  row(names, ...nodes) {
    return el('div', {}, ...nodes, ...names.map((name) => this.fields.faults[name]));
  }

  /** Every currency that Stripe takes, those of the deal first. @returns {[string, string][]} */
  currencies() {
    const chosen = this.draft.values.currency;
    const near = [chosen, this.deal.currency, ...this.deal.expected.map((money) => money.currency), 'USD', 'EUR'];
    const codes = new Set([...near.filter((code) => !!code).map(String), ...Object.keys(BUILD.currencies)]);
    const empty = chosen ? [] : [/** @type {[string, string]} */ (['', '—'])];
    return [...empty, ...[...codes].map((code) => /** @type {[string, string]} */ ([code, code]))];
  }

  makeShares() {
    const chips = SHARES.map((percent) =>
      el('button', {
        type: 'button',
        class: 'dealpay-chip',
        text: `${percent}%`,
        on: { click: () => this.takeShare(percent) },
      }),
    );
    return el('div', { class: 'dealpay-shares' }, ...chips);
  }

  makeButtons() {
    const { words, actions } = this;
    const submit = el('button', { type: 'submit', class: 'dealpay-button dealpay-button-blue', 'data-key': 'submit' });
    const close = el('button', {
      type: 'button',
      class: 'dealpay-button',
      text: words('form.cancel'),
      on: { click: () => actions.close() },
    });
    return { submit: /** @type {HTMLButtonElement} */ (submit), close: /** @type {HTMLButtonElement} */ (close) };
  }

  makeForm() {
    const { kind, total, amount, repeat, description } = this.parts;
    const buttons = el('div', { class: 'dealpay-buttons' }, this.buttons.submit, this.buttons.close);
    const look = { class: 'dealpay-box dealpay-form', novalidate: true, 'aria-label': this.words('card.create') };
    const node = el('form', look, kind, total, amount, repeat, description, this.alert, buttons);
    node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.actions.send(this.draft);
    });
    node.addEventListener('keydown', (event) => {
      // The card of Kommo must not take Enter and Esc that are meant for the form.
      event.stopPropagation();
      if (event.key === 'Escape') this.actions.close();
    });
    return node;
  }

  /** Until a person types an amount it follows the other choices. @param {import('./fields.js').Key} key */
  changed(key) {
    this.draft.error = null;
    if (key === 'amount') this.draft.touched = true;
    if (!this.draft.touched && ['kind', 'currency', 'total'].includes(key)) {
      const { kind, currency } = this.draft.values;
      this.setAmount(suggestedAmount(kind, this.deal, currency, this.total() ?? ''));
    }
    this.refresh();
  }

  /** @param {number} percent */
  takeShare(percent) {
    const total = this.total();
    if (!total) return;
    this.draft.touched = true;
    this.draft.error = null;
    this.setAmount(shareOf(total, percent, this.draft.values.currency));
    this.refresh();
  }

  total() {
    return parseAmount(this.draft.values.total, this.draft.values.currency, this.lang);
  }

  /** @param {string} amount */
  setAmount(amount) {
    this.draft.values.amount = amount;
    this.fields.inputs.amount.value = amount;
  }

  refresh() {
    const { values, sending } = this.draft;
    this.parts.total.hidden = values.kind !== 'deposit';
    this.parts.repeat.hidden = values.kind !== 'subscription';
    this.buttons.submit.textContent = this.label();
    this.fields.disable(sending !== null);
    for (const button of this.node.querySelectorAll('button')) button.disabled = sending !== null;
    this.node.setAttribute('aria-busy', String(sending !== null));
    this.showFault();
  }

  /** What the button will do, with the amount as it was understood. */
  label() {
    const { amount, currency } = this.draft.values;
    const parsed = parseAmount(amount, currency, this.lang);
    if (this.draft.sending) return this.words('form.sending');
    if (!parsed || !currency) return this.words('form.submit_plain');
    return this.words('form.submit', { amount: formatAmount({ amount: parsed, currency }, this.lang) });
  }

  showFault() {
    const { error } = this.draft;
    const general = !this.fields.showFault(error) && error;
    const text = general ? [sentenceOf(general, this.words), general.unsure && this.words('form.unsure')] : [];
    const said = text.filter((part) => part).join(' ');
    if (this.alert.textContent !== said) this.alert.textContent = said;
    this.alert.hidden = !said;
  }

  focus() {
    this.fields.inputs.amount.focus();
  }

  focusFault() {
    const wrong = this.node.querySelector('[aria-invalid="true"]');
    if (wrong instanceof HTMLElement) wrong.focus();
    else if (!this.alert.hidden) this.alert.focus();
  }
}

/**
 * @param {string} look
 * @param {...HTMLElement} fields
 */
function pair(look, ...fields) {
  return el('div', { class: `dealpay-pair ${look}`.trim() }, ...fields);
}
