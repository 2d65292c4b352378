// @ts-check

import { isLong } from '../card/polling.js';
import { sentenceOf } from '../kommo/page.js';
import { el, ownKeys } from '../ui/dom.js';
import { formatAmount, parseAmount, written } from '../ui/money.js';
import { suggestedAmount, waitingLink } from './defaults.js';
import { faultOf } from './draft.js';
import { Fields } from './fields.js';
import { countIntervals, formRows } from './rows.js';

/** The form of one draft. The inputs are made once; `refresh` shows what became of the draft (under way, refused). */
export class PaymentForm {
  /**
   * @param {import('./draft.js').Draft} draft
   * @param {import('../types.d.ts').Deal} deal
   * @param {{words: import('../types.d.ts').Words, lang: string, leadId: number,
   *   actions: import('../card/controller.js').CardController}} given
   */
  constructor(draft, deal, { words, lang, leadId, actions }) {
    this.draft = draft;
    this.deal = deal;
    this.words = words;
    this.lang = lang;
    this.actions = actions;
    this.fields = new Fields(draft.values, words, `dealpay-${leadId}`, (key) => this.changed(key));
    this.rows = formRows(this.fields, deal, words);
    this.alert = el('p', { class: 'dealpay-alert', role: 'alert', tabindex: '-1', hidden: true });
    this.patience = el('p', { class: 'dealpay-small dealpay-muted', role: 'status' });
    this.buttons = this.makeButtons();
    this.node = this.makeForm();
    this.refresh();
  }

  makeButtons() {
    const { words, actions } = this;
    const submit = el('button', { type: 'submit', class: 'dealpay-button dealpay-button-blue', 'data-key': 'submit' });
    const click = () => actions.close();
    const close = el('button', { type: 'button', class: 'dealpay-button', text: words('form.cancel'), on: { click } });
    return { submit: /** @type {HTMLButtonElement} */ (submit), close: /** @type {HTMLButtonElement} */ (close) };
  }

  makeForm() {
    const { kind, total, share, amount, repeat, description } = this.rows;
    const buttons = el('div', { class: 'dealpay-buttons' }, this.buttons.submit, this.buttons.close);
    const rows = [this.waiting(), kind, total, share, amount, repeat, description, this.alert, this.patience, buttons];
    const look = { class: 'dealpay-box dealpay-form', novalidate: true, 'aria-label': this.words('card.create') };
    const node = el('form', look, ...rows);
    node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.actions.send(this.draft);
    });
    ownKeys(node, () => this.actions.close());
    return node;
  }

  /** So that nobody asks twice for the same money without knowing it. */
  waiting() {
    const link = waitingLink(this.deal);
    if (!link) return null;
    const amount = formatAmount(link, this.lang);
    return el('p', { class: 'dealpay-why', text: this.words('form.waiting', { amount }) });
  }

  /** Until a person types an amount it follows the other choices. @param {import('./fields.js').Key} key */
  changed(key) {
    const { draft, fields } = this;
    draft.error = null;
    if (key === 'amount') {
      draft.touched = true;
      fields.show('percent', 'percent', '');
    }
    const total = parseAmount(draft.values.total, draft.values.currency, this.lang) ?? '';
    if (key === 'percent' && total) draft.touched = false;
    if (key === 'percent' && !total) draft.error = faultOf('deal_total', this.words('form.total_missing'));
    else if (!draft.touched && ['kind', 'currency', 'total', 'percent'].includes(key)) {
      fields.show('amount', 'amount', written(suggestedAmount(draft.values, this.deal, total), this.lang));
    }
    this.refresh();
  }

  refresh() {
    const { values, sending, sentAt } = this.draft;
    const busy = sending !== null;
    this.rows.total.hidden = values.kind !== 'deposit';
    this.rows.share.hidden = values.kind !== 'deposit';
    this.rows.repeat.hidden = values.kind !== 'subscription';
    countIntervals(this.fields.inputs.interval, values.intervalCount, this.words);
    this.buttons.submit.textContent = this.label();
    this.buttons.submit.classList.toggle('dealpay-busy', busy);
    this.say(this.patience, busy && isLong(sentAt) ? this.words('form.slow') : '');
    this.fields.disable(busy);
    for (const button of this.node.querySelectorAll('button')) {
      button.disabled = busy;
      if (button.dataset.percent)
        button.setAttribute('aria-pressed', String(button.dataset.percent === values.percent));
    }
    this.node.setAttribute('aria-busy', String(busy));
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
    this.say(this.alert, general ? this.sentenceOf(general) : '');
  }

  /**
   * Where nobody knows whether the link was made, that, and that to send again does no harm.
   * @param {import('../api.js').ApiError} error
   */
  sentenceOf(error) {
    const key = `unsure.${error.code || 'unreachable'}`;
    const ours = error.unsure ? this.words(key) : key;
    return ours === key ? sentenceOf(error, this.words) : ours;
  }

  /** Said once: a screen reader reads a text that is put in again, again. @param {HTMLElement} node @param {string} text */
  say(node, text) {
    if (node.textContent !== text) node.textContent = text;
    node.hidden = !text;
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
