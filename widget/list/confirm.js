// @ts-check
import { ApiError } from '../api.js';
import { openLeadId } from '../kommo/page.js';
import { parseAmount, restOf, written } from '../ui/money.js';

const DONE = { cancel: 'list.cancelled', refund: 'refund.done', send: 'send.sent' };

/** The open question in a row of the list and the effect of its *yes*. One question at a time, each sent once. */
export class ConfirmController {
  /** @param {import('../card/controller.js').CardController} card */
  constructor(card) {
    this.card = card;
  }

  /** Asks whether to cancel a link. @param {string} id of a request */
  cancel(id) {
    this.open({ what: 'cancel', id, sending: false, problem: null, refund: null });
  }

  /** @param {string} id of a request */
  async send(id) {
    const { card } = this;
    /** Asks whether to send a link, and loads the channel by which it would go. */
    const send = { id: crypto.randomUUID(), preview: null };
    this.open({ what: 'send', id, sending: false, problem: null, refund: null, send });
    const own = () => card.store.get().question?.send?.id === send.id;
    await card.settle(
      card.api.sending(id),
      (preview) => own() && this.change({ send: { ...send, preview } }),
      (problem) => own() && this.change({ problem }),
    );
  }

  /**
   * Changes the open question.
   * @param {Partial<import('../card/state.js').Question>} change of the question that is open
   */
  change(change) {
    const { question } = this.card.store.get();
    if (question) this.card.store.set({ question: { ...question, ...change } });
  }

  /** @param {import('../types.d.ts').Payment} payment */
  refund({ id, amount, currency, refunded }) {
    const before = refunded ?? '0';
    const left = written(restOf(amount, before, currency), this.card.lang);
    /** Asks how much of a payment to refund. */
    const refund = { id: crypto.randomUUID(), amount: left, reason: '', before, currency };
    this.open({ what: 'refund', id, sending: false, problem: null, refund });
  }

  /** Opens a question, unless another one is being sent. @param {import('../card/state.js').Question} question */
  open(question) {
    const { store, view } = this.card;
    if (store.get().question?.sending) return;
    store.set({ question });
    view.focus('answer');
  }

  /**
   * Changes the values typed into the refund's question.
   * @param {{amount?: string, reason?: string}} typed into the question about a refund
   */
  edit(typed) {
    const { store } = this.card;
    const { question } = store.get();
    if (question?.refund) store.set({ question: { ...question, refund: { ...question.refund, ...typed } } });
  }

  /** Closes the question. */
  dismiss() {
    const { store, view } = this.card;
    const { question } = store.get();
    if (!question || question.sending) return;
    store.set({ question: null });
    view.focus(`${question.what}-${question.id}`);
  }

  /** Sends what the question asks for. */
  async accept() {
    const { card } = this;
    const { question } = card.store.get();
    if (!question || question.sending || openLeadId() !== card.leadId) return;
    if (question.send && !question.send.preview) return;
    const call = this.callOf(question);
    const problem = call ? null : new ApiError(422, { message: card.words('form.amount_invalid') });
    card.store.set({ question: { ...question, sending: call !== null, problem } });
    if (!call) return;
    await card.settle(
      call(),
      () => this.succeeded(question),
      (refusal) => this.failed(refusal),
    );
    if (!card.destroyed) card.load();
  }

  /**
   * Returns the call that *yes* makes; null if the typed amount is invalid.
   * @param {import('../card/state.js').Question} question
   */
  callOf({ id, refund, send }) {
    const { api, lang } = this.card;
    if (send) return () => api.send(id, send.id);
    if (!refund) return () => api.cancel(id);
    const amount = parseAmount(refund.amount, refund.currency, lang);
    const reason = refund.reason ? { reason: refund.reason } : {};
    const body = { refund_id: refund.id, amount, expected_refunded: refund.before, ...reason };
    return amount ? () => api.refund(id, body) : null;
  }

  /** Closes the question after its call succeeded. @param {import('../card/state.js').Question} question */
  succeeded({ what, id }) {
    const { store, view, words } = this.card;
    const { created } = store.get();
    store.set({ question: null, created: created?.id === id ? null : created });
    view.announce(words(DONE[what]));
  }

  /** Shows the refusal in the open question. @param {ApiError} problem */
  failed(problem) {
    const { question } = this.card.store.get();
    if (question) this.card.store.set({ question: { ...question, sending: false, problem } });
  }
}
