// @ts-check

import { budget, dealName, openLeadId } from '../kommo/page.js';
import { keepCurrency } from './currencies.js';
import { firstValues } from './defaults.js';
import { beginDraft, draftOf, dropDraft, edited, firstFault, putDraft, requestBody, sendOnce } from './draft.js';

/** Maximum number of characters in a description. */
const LONGEST = 250;

/** The form of a new payment, from its opening to the created link. */
export class FormController {
  /** @param {import('../card/controller.js').CardController} card */
  constructor(card) {
    this.card = card;
  }

  /** Opens the form with default values. */
  begin() {
    const { store, leadId, lang, view } = this.card;
    const { deal } = store.get();
    if (!deal || openLeadId() !== leadId) return;
    const values = firstValues(deal, { budget: budget(), description: this.description(), lang });
    store.set({ draft: beginDraft(leadId, values), created: null });
    view.focusForm();
  }

  /**
   * Returns the default description, which the client reads: the account's template. A deal's name is often internal,
   * so only a template shows it.
   */
  description() {
    const { leadId, words, description } = this.card;
    const values = /** @type {Record<string, string>} */ ({ deal: dealName(), id: String(leadId) });
    const filled = description.replace(/\{(deal|id)\}/g, (_, name) => values[name]).trim();
    return [...filled].slice(0, LONGEST).join('') || words('form.description_default', values);
  }

  /** Closes the form, or the panel of the created link. */
  close() {
    const { store, leadId, view } = this.card;
    if (store.get().draft?.sending) return;
    dropDraft(leadId);
    store.set({ draft: null, created: null });
    view.focus('begin');
  }

  /**
   * Changes one value of the draft.
   * @param {import('./fields.js').Key} key
   * @param {string} value as it was typed or chosen
   */
  edit(key, value) {
    const { store, leadId, lang, words } = this.card;
    const { draft, deal } = store.get();
    if (!draft || !deal || draft.sending) return;
    store.set({ draft: putDraft(leadId, edited(draft, key, value, { deal, lang, words })) });
  }

  /** Checks the draft and sends it, or shows the first fault. */
  send() {
    const { store, api, leadId, lang, words, view } = this.card;
    const { draft } = store.get();
    if (!draft || draft.sending || openLeadId() !== leadId) return;
    const error = firstFault(draft.values, lang, words);
    if (error) {
      store.set({ draft: putDraft(leadId, { ...draft, error }) });
      view.focusFault();
      return;
    }
    this.follow(sendOnce(leadId, draft, () => api.create(requestBody(leadId, draft, lang))));
  }

  /** Awaits the answer of a request that was sent before Kommo redrew the card. */
  resume() {
    const sending = this.card.store.get().draft?.sending;
    if (sending) this.follow(sending);
  }

  /**
   * Awaits the sending and shows the created link or the fault.
   * @param {Promise<import('../types.d.ts').PaymentRequest>} sending
   */
  async follow(sending) {
    const { card } = this;
    const showDraft = () => card.store.set({ draft: draftOf(card.leadId) });
    showDraft();
    await card.settle(sending, (request) => this.showCreated(request), showDraft);
    if (card.destroyed) return;
    card.view.focusFault();
    card.load();
  }

  /** Shows the created link. @param {import('../types.d.ts').PaymentRequest} created */
  showCreated(created) {
    const { store, leadId, words, view } = this.card;
    dropDraft(leadId);
    keepCurrency(created.currency);
    store.set({ draft: null, created });
    view.focus('copy-created');
    view.announce(words('created.title'));
  }

  /**
   * Compares the form and the created link with the loaded deal. If a draft's uuid was used before with other content,
   * that earlier call arrived: its payment is shown instead. The panel of a created link closes once the link is paid
   * or cancelled.
   * @param {import('../types.d.ts').Deal} deal
   */
  reconcile(deal) {
    const { store, words, view } = this.card;
    const { draft } = store.get();
    const earlier = deal.requests.find((request) => request.id === draft?.requestId);
    if (draft?.error?.code === 'conflict' && earlier) this.showCreated(earlier);
    const { created } = store.get();
    const now = deal.requests.find((request) => request.id === created?.id);
    if (!now || now.state === 'pending') return;
    store.set({ created: null });
    view.announce(words(`state.${now.state}`));
  }
}
