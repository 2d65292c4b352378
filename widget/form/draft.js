// @ts-check
import { ApiError } from '../api.js';
import { parseAmount } from '../ui/money.js';

/**
 * A filled form. It outlives the card's node: when Kommo draws the card anew while a request is under way, the next
 * card of the same deal finds the same draft with the same uuid, so that one form never makes two payments.
 * @typedef {{
 *   requestId: string,
 *   values: import('../types.d.ts').FormValues,
 *   touched: boolean,
 *   sending: Promise<import('../types.d.ts').PaymentRequest> | null,
 *   sentAt: number,
 *   error: import('../api.js').ApiError | null,
 * }} Draft
 */

/** @type {Map<number, Draft>} */
const drafts = new Map();

/** @param {number} leadId @returns {Draft | null} */
export function draftOf(leadId) {
  return drafts.get(leadId) ?? null;
}

/**
 * @param {number} leadId
 * @param {import('../types.d.ts').FormValues} values
 */
export function beginDraft(leadId, values) {
  const draft = { requestId: crypto.randomUUID(), values, touched: false, sending: null, sentAt: 0, error: null };
  drafts.set(leadId, draft);
  return draft;
}

/** @param {number} leadId */
export function dropDraft(leadId) {
  drafts.delete(leadId);
}

/**
 * Sends the draft, or joins the sending that is under way. After success the draft is gone, after an error it stays.
 * @param {number} leadId
 * @param {Draft} draft
 * @param {() => Promise<import('../types.d.ts').PaymentRequest>} send
 */
export function sendOnce(leadId, draft, send) {
  if (draft.sending) return draft.sending;
  draft.error = null;
  draft.sentAt = Date.now();
  draft.sending = send().then(
    (made) => {
      dropDraft(leadId);
      return made;
    },
    (error) => {
      draft.sending = null;
      draft.error = error;
      throw error;
    },
  );
  return draft.sending;
}

/**
 * The body of `POST /widget/requests`, of values that `firstFault` found right.
 * @param {number} leadId
 * @param {Draft} draft
 * @param {string} lang
 */
export function requestBody(leadId, draft, lang) {
  const { kind, currency, description, interval, intervalCount } = draft.values;
  const amount = parseAmount(draft.values.amount, currency, lang);
  const total = parseAmount(draft.values.total, currency, lang);
  const body = { request_id: draft.requestId, lead_id: leadId, amount, currency, description: description.trim() };
  if (kind === 'subscription') {
    return { ...body, mode: 'subscription', interval, interval_count: Number(intervalCount) };
  }
  return { ...body, mode: 'payment', kind, ...(kind === 'deposit' && total ? { deal_total: total } : {}) };
}

/**
 * A refusal of our own, as the backend would send it.
 * @param {string} field
 * @param {string} message
 */
export function faultOf(field, message) {
  return new ApiError(422, { field, message });
}

/**
 * What can be seen to be wrong without asking, said at its field; the backend checks everything again.
 * @param {import('../types.d.ts').FormValues} values
 * @param {string} lang
 * @param {import('../types.d.ts').Words} words
 */
export function firstFault(values, lang, words) {
  const fault = (/** @type {string} */ field, /** @type {string} */ key) => faultOf(field, words(key));
  if (!values.currency) return fault('currency', 'form.currency_missing');
  if (!parseAmount(values.amount, values.currency, lang)) return fault('amount', 'form.amount_invalid');
  if (values.kind === 'deposit' && values.total && !parseAmount(values.total, values.currency, lang)) {
    return fault('deal_total', 'form.amount_invalid');
  }
  if (values.kind === 'subscription' && !/^[1-9]\d*$/.test(values.intervalCount)) {
    return fault('interval_count', 'form.count_invalid');
  }
  return values.description.trim() ? null : fault('description', 'form.description_missing');
}
