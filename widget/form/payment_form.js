// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el, ownKeys } from '../ui/dom.js';
import { formatAmount, parseAmount } from '../ui/money.js';
import { isLong } from '../ui/patience.js';
import { waitingLink } from './defaults.js';
import { Fields } from './fields.js';
import { countIntervals, formRows } from './rows.js';

/** The form of one draft. Inputs are created once; `show` updates them to the draft. */
export class PaymentForm {
  /**
   * @param {import('./draft.js').Draft} draft
   * @param {import('../types.d.ts').Deal} deal
   * @param {{words: import('../types.d.ts').Words, lang: string, leadId: number,
   *   actions: import('../card/controller.js').Actions}} props
   */
  constructor(draft, deal, { words, lang, leadId, actions }) {
    this.deal = deal;
    this.words = words;
    this.lang = lang;
    this.actions = actions.form;
    this.fields = new Fields(words, `dealpay-${leadId}`, (key, value) => actions.form.edit(key, value));
    this.rows = formRows(this.fields, { deal, chosen: draft.values.currency, lang, words });
    this.alert = el('p', { class: 'dealpay-alert', role: 'alert', tabindex: '-1', hidden: true });
    this.patience = el('p', { class: 'dealpay-small dealpay-muted', role: 'status' });
    this.buttons = this.makeButtons();
    this.node = this.makeForm();
    this.show(draft);
  }

  /** Returns the two buttons. */
  makeButtons() {
    const { words, actions } = this;
    const submit = el('button', { type: 'submit', class: 'dealpay-button dealpay-button-blue', 'data-key': 'submit' });
    const click = () => actions.close();
    const close = el('button', { type: 'button', class: 'dealpay-button', text: words('form.cancel'), on: { click } });
    return { submit: /** @type {HTMLButtonElement} */ (submit), close: /** @type {HTMLButtonElement} */ (close) };
  }

  /** Returns the form's element. */
  makeForm() {
    const { kind, total, share, amount, repeat, description, days } = this.rows;
    const buttons = el('div', { class: 'dealpay-buttons' }, this.buttons.submit, this.buttons.close);
    const asked = [this.waiting(), kind, total, share, amount, repeat, description, days];
    const rows = [...asked, this.alert, this.patience, buttons];
    const look = { class: 'dealpay-box dealpay-form', novalidate: true, 'aria-label': this.words('card.create') };
    const node = el('form', look, ...rows);
    node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.actions.send();
    });
    ownKeys(node, () => this.actions.close());
    return node;
  }

  /** Returns a note about a link that waits already, so that nobody asks twice for the same money by mistake. */
  waiting() {
    const link = waitingLink(this.deal);
    if (!link) return null;
    const amount = formatAmount(link, this.lang);
    return el('p', { class: 'dealpay-why', text: this.words('form.waiting', { amount }) });
  }

  /** Shows the draft's values, progress and fault. @param {import('./draft.js').Draft} draft */
  show(draft) {
    const { values, sending, sentAt } = draft;
    const busy = sending !== null;
    this.rows.total.hidden = values.kind !== 'deposit';
    this.rows.share.hidden = values.kind !== 'deposit';
    this.rows.repeat.hidden = values.kind !== 'subscription';
    this.fields.showValues(values);
    countIntervals(this.fields.inputs.interval, values.intervalCount, this.words);
    this.buttons.submit.textContent = this.label(draft);
    this.buttons.submit.classList.toggle('dealpay-busy', busy);
    this.say(this.patience, busy && isLong(sentAt) ? this.words('form.slow') : '');
    this.fields.disable(busy);
    for (const button of this.node.querySelectorAll('button')) {
      button.disabled = busy;
      if (button.dataset.percent)
        button.setAttribute('aria-pressed', String(button.dataset.percent === values.percent));
    }
    this.node.setAttribute('aria-busy', String(busy));
    this.showFault(draft);
  }

  /**
   * Returns the submit button's text, with the amount as it was understood.
   * @param {import('./draft.js').Draft} draft
   */
  label({ values, sending }) {
    const { amount, currency } = values;
    const parsed = parseAmount(amount, currency, this.lang);
    if (sending) return this.words('form.sending');
    if (!parsed || !currency) return this.words('form.submit_plain');
    return this.words('form.submit', { amount: formatAmount({ amount: parsed, currency }, this.lang) });
  }

  /** Shows the draft's fault at its field, or below the form. @param {import('./draft.js').Draft} draft */
  showFault({ error }) {
    const general = !this.fields.showFault(error) && error;
    this.say(this.alert, general ? this.sentenceOf(general) : '');
  }

  /**
   * Returns the sentence of an error. If it is unknown whether the link was created, the sentence says so, and that
   * sending again is safe.
   * @param {import('../api.js').ApiError} error
   */
  sentenceOf(error) {
    const key = `unsure.${error.code || 'unreachable'}`;
    const ours = error.unsure ? this.words(key) : key;
    return ours === key ? sentenceOf(error, this.words) : ours;
  }

  /**
   * Shows a text, once: assigning it again would make screen readers repeat it.
   * @param {HTMLElement} node
   * @param {string} text
   */
  say(node, text) {
    if (node.textContent !== text) node.textContent = text;
    node.hidden = !text;
  }

  /** Moves the focus to the amount. */
  focus() {
    this.fields.inputs.amount.focus();
  }

  /** Moves the focus to the first fault. */
  focusFault() {
    const wrong = this.node.querySelector('[aria-invalid="true"]');
    if (wrong instanceof HTMLElement) wrong.focus();
    else if (!this.alert.hidden) this.alert.focus();
  }
}
