// @ts-check
import { draftOf } from '../form/draft.js';

/**
 * A question that stands open in a row of the list: cancel this link, or refund this payment.
 * `refund.id` is made once, so that a repeated press refunds once.
 * @typedef {{
 *   what: 'cancel' | 'refund',
 *   id: string,
 *   sending: boolean,
 *   problem: import('../api.js').ApiError | null,
 *   refund: {id: string, amount: string, reason: string, before: string, currency: string} | null,
 * }} Question
 */

/**
 * What the card shows. `problem` of a ready card is a refresh that failed: what was known stays visible. `refused` is why
 * Stripe could not be asked; no refresh takes it away.
 * @typedef {{
 *   phase: 'loading' | 'unsaved' | 'failed' | 'disconnected' | 'forbidden' | 'ready',
 *   deal: import('../types.d.ts').Deal | null,
 *   loadedAt: number,
 *   problem: import('../api.js').ApiError | null,
 *   refused: import('../api.js').ApiError | null,
 *   draft: import('../form/draft.js').Draft | null,
 *   created: import('../types.d.ts').PaymentRequest | null,
 *   asked: Question | null,
 *   checking: boolean,
 *   slow: boolean,
 *   outdated: boolean,
 *   unfolded: boolean,
 * }} State
 */

/**
 * A card that was just opened; a form that was open when Kommo drew the card anew is open again.
 * @param {number} leadId
 * @returns {State}
 */
export function firstState(leadId) {
  return {
    phase: leadId ? 'loading' : 'unsaved',
    deal: null,
    loadedAt: 0,
    problem: null,
    refused: null,
    draft: draftOf(leadId),
    created: null,
    asked: null,
    checking: false,
    slow: false,
    outdated: false,
    unfolded: false,
  };
}

/** @param {import('../types.d.ts').Deal} deal */
export function somethingMade(deal) {
  return deal.requests.length + deal.payments.length > 0;
}

/**
 * @param {State} state
 * @param {import('../types.d.ts').Deal} deal
 */
export function tookDeal(state, deal) {
  // Where money was, it stays to be seen after the connection has gone.
  state.phase = deal.connected === false && !somethingMade(deal) ? 'disconnected' : 'ready';
  state.deal = deal;
  state.problem = null;
  state.loadedAt = Date.now();
}

/**
 * @param {State} state
 * @param {import('../api.js').ApiError} error
 */
export function lostDeal(state, error) {
  state.problem = error;
  if (error.code === 'not_connected') state.phase = 'disconnected';
  else if (error.status === 403) state.phase = 'forbidden';
  else if (!state.deal) state.phase = 'failed';
}
