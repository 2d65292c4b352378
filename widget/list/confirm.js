// @ts-check
import { ApiError } from '../api.js';
import { openLeadId } from '../kommo/page.js';
import { parseAmount, restOf, written } from '../ui/money.js';

/** The question that stands open in a row of the list, and what its *yes* does. One at a time, each sent once. */
export class ConfirmController {
  /** @param {import('../card/controller.js').CardController} card */
  constructor(card) {
    this.card = card;
  }

  /** @param {string} id of a request */
  cancel(id) {
    this.ask({ what: 'cancel', id, sending: false, problem: null, refund: null });
  }

  /** @param {import('../types.d.ts').Payment} payment */
  refund({ id, amount, currency, refunded }) {
    const before = refunded ?? '0';
    const left = written(restOf(amount, before, currency), this.card.lang);
    const refund = { id: crypto.randomUUID(), amount: left, reason: '', before, currency };
    this.ask({ what: 'refund', id, sending: false, problem: null, refund });
  }

  /** @param {import('../card/state.js').Question} question */
  ask(question) {
    const { state, view } = this.card;
    if (state.asked?.sending) return;
    state.asked = question;
    this.card.paint();
    view.focus('answer');
  }

  keep() {
    const { state, view } = this.card;
    const { asked } = state;
    if (!asked || asked.sending) return;
    state.asked = null;
    this.card.paint();
    view.focus(`${asked.what}-${asked.id}`);
  }

  async confirm() {
    const { card } = this;
    const { asked } = card.state;
    if (!asked || asked.sending || openLeadId() !== card.leadId) return;
    const call = this.callOf(asked);
    asked.sending = call !== null;
    asked.problem = call ? null : new ApiError(422, { message: card.words('form.amount_invalid') });
    card.paint();
    if (!call) return;
    await card.settle(
      call(),
      () => this.answered(asked),
      (problem) => Object.assign(asked, { sending: false, problem }),
    );
    if (!card.over) card.load();
  }

  /**
   * What *yes* sends; null if the amount typed is none.
   * @param {import('../card/state.js').Question} asked
   */
  callOf({ id, refund }) {
    const { api, lang } = this.card;
    if (!refund) return () => api.cancel(id);
    const amount = parseAmount(refund.amount, refund.currency, lang);
    const reason = refund.reason ? { reason: refund.reason } : {};
    const body = { refund_id: refund.id, amount, expected_refunded: refund.before, ...reason };
    return amount ? () => api.refund(id, body) : null;
  }

  /** @param {import('../card/state.js').Question} asked */
  answered({ what, id }) {
    const { state, view, words } = this.card;
    state.asked = null;
    if (state.created?.id === id) state.created = null;
    view.announce(words(what === 'cancel' ? 'list.cancelled' : 'refund.done'));
  }
}
