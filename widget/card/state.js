// @ts-check
import { draftOf } from '../form/draft.js';

/**
 * An open question in a row of the list: cancel this link, send it, or refund this payment.
 * `refund.id` and `send.id` are made once, so that a repeated press refunds or sends once.
 * @typedef {Readonly<{
 *   what: 'cancel' | 'refund' | 'send',
 *   id: string,
 *   sending: boolean,
 *   problem: import('../api.js').ApiError | null,
 *   refund: Readonly<{id: string, amount: string, reason: string, before: string, currency: string}> | null,
 *   send?: Readonly<{id: string, preview: import('../types.d.ts').SendingPreview | null}>,
 * }>} Question
 */

/**
 * The card's state; replaced on each change. `problem` of a ready card is a failed refresh: the known data stays visible.
 * `refused`: why Stripe could not be asked; a refresh keeps it. `code`: the request whose QR code is shown.
 * @typedef {Readonly<{
 *   phase: 'loading' | 'unsaved' | 'failed' | 'disconnected' | 'forbidden' | 'ready',
 *   deal: import('../types.d.ts').Deal | null,
 *   loadedAt: number,
 *   problem: import('../api.js').ApiError | null,
 *   refused: import('../api.js').ApiError | null,
 *   draft: import('../form/draft.js').Draft | null,
 *   created: import('../types.d.ts').PaymentRequest | null,
 *   question: Question | null,
 *   checking: boolean,
 *   slow: boolean,
 *   outdated: boolean,
 *   unfolded: boolean,
 *   code: string | null,
 *   contacts: import('../types.d.ts').Contact[],
 * }>} State
 */

/**
 * Returns the state of a card that was just opened; a form that was open when Kommo redrew the card is open again.
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
    question: null,
    checking: false,
    slow: false,
    outdated: false,
    unfolded: false,
    code: null,
    contacts: [],
  };
}

/** Whether the deal has any request or payment. @param {import('../types.d.ts').Deal} deal */
export function somethingMade(deal) {
  return deal.requests.length + deal.payments.length > 0;
}

/**
 * Returns the changes of state after the deal was loaded.
 * @param {import('../types.d.ts').Deal} deal
 * @returns {Partial<State>}
 */
export function afterLoading(deal) {
  // Payments stay visible after the connection is gone.
  const phase = deal.connected === false && !somethingMade(deal) ? 'disconnected' : 'ready';
  return { phase, deal, problem: null, loadedAt: Date.now() };
}

/**
 * Returns the changes of state after loading failed.
 * @param {State} state
 * @param {import('../api.js').ApiError} problem
 * @returns {Partial<State>}
 */
export function afterFailure({ phase, deal }, problem) {
  if (problem.code === 'not_connected') return { problem, phase: 'disconnected' };
  if (problem.status === 403) return { problem, phase: 'forbidden' };
  return { problem, phase: deal ? phase : 'failed' };
}

/**
 * Returns the problem to show below the card; null if the open form or question shows it already.
 * @param {State} state
 */
export function problemBeside({ refused, problem, draft, question }) {
  const told = [draft?.error, question?.problem].find((one) => !!one);
  if (refused) return refused;
  return problem && told && told.code === problem.code && told.status === problem.status ? null : problem;
}
