// @ts-check
import { ApiError } from '../api.js';
import { parseAmount, written } from '../ui/money.js';
import { suggestedAmount } from './defaults.js';

/**
 * A filled form; replaced on each change. It outlives the card's node: if Kommo redraws the card while a request is in
 * progress, the next card of the deal finds the draft with the same uuid, so one form never creates two payments.
 * `touched`: a user typed the amount.
 * @typedef {Readonly<{
 *   requestId: string,
 *   values: Readonly<import('../types.d.ts').FormValues>,
 *   touched: boolean,
 *   sending: Promise<import('../types.d.ts').PaymentRequest> | null,
 *   sentAt: number,
 *   error: import('../api.js').ApiError | null,
 * }>} Draft
 */

/** @type {Map<number, Draft>} */
const drafts = new Map();

/**
 * Returns the deal's draft, null without one.
 * @param {number} leadId
 * @returns {Draft | null}
 */
export function draftOf(leadId) {
  return drafts.get(leadId) ?? null;
}

/**
 * Stores and returns a new draft with a uuid of its own.
 * @param {number} leadId
 * @param {import('../types.d.ts').FormValues} values
 */
export function beginDraft(leadId, values) {
  const requestId = crypto.randomUUID();
  return putDraft(leadId, { requestId, values, touched: false, sending: null, sentAt: 0, error: null });
}

/**
 * Stores and returns the draft.
 * @param {number} leadId
 * @param {Draft} draft
 */
export function putDraft(leadId, draft) {
  drafts.set(leadId, draft);
  return draft;
}

/** Forgets the deal's draft. @param {number} leadId */
export function dropDraft(leadId) {
  drafts.delete(leadId);
}

/**
 * Returns the draft after a change of one field; the amount follows the other choices until a user types one.
 * @param {Draft} draft
 * @param {import('./fields.js').Key} key
 * @param {string} value
 * @param {{deal: import('../types.d.ts').Deal, lang: string, words: import('../types.d.ts').Words}} context
 * @returns {Draft}
 */
export function edited(draft, key, value, { deal, lang, words }) {
  const values = { ...draft.values, [key]: value };
  if (key === 'amount') return { ...draft, error: null, touched: true, values: { ...values, percent: '' } };
  const total = parseAmount(values.total, values.currency, lang) ?? '';
  if (key === 'percent' && !total) {
    return { ...draft, values, error: faultOf('deal_total', words('form.total_missing')) };
  }
  const touched = draft.touched && key !== 'percent';
  if (!touched && ['kind', 'currency', 'total', 'percent'].includes(key)) {
    values.amount = written(suggestedAmount(values, deal, total), lang);
  }
  return { ...draft, values, touched, error: null };
}

/**
 * Sends the draft, or joins a sending in progress. After a success the draft is forgotten; after an error it stays.
 * @param {number} leadId
 * @param {Draft} draft
 * @param {() => Promise<import('../types.d.ts').PaymentRequest>} send
 */
export function sendOnce(leadId, draft, send) {
  if (draft.sending) return draft.sending;
  const sentAt = Date.now();
  const sending = send().then(
    (created) => {
      dropDraft(leadId);
      return created;
    },
    (error) => {
      putDraft(leadId, { ...draft, sentAt, error });
      throw error;
    },
  );
  putDraft(leadId, { ...draft, sentAt, sending, error: null });
  return sending;
}

/**
 * Returns the body of `POST /widget/requests` from values that `firstFault` accepted.
 * @param {number} leadId
 * @param {Draft} draft
 * @param {string} lang
 */
export function requestBody(leadId, draft, lang) {
  const { kind, currency, description, interval, intervalCount, dueOn, validUntil } = draft.values;
  const amount = parseAmount(draft.values.amount, currency, lang);
  const total = parseAmount(draft.values.total, currency, lang);
  const days = { due_on: dueOn || null, valid_until: validUntil || null };
  const what = { amount, currency, description: description.trim(), ...days };
  const body = { request_id: draft.requestId, lead_id: leadId, ...what };
  if (kind === 'subscription') {
    return { ...body, mode: 'subscription', interval, interval_count: Number(intervalCount) };
  }
  return { ...body, mode: 'payment', kind, ...(kind === 'deposit' && total ? { deal_total: total } : {}) };
}

/**
 * Returns a fault found by the widget, in the form of a backend refusal.
 * @param {string} field
 * @param {string} message
 */
export function faultOf(field, message) {
  return new ApiError(422, { field, message });
}

/**
 * Returns the first fault that the widget can find alone, for its field; the backend checks everything again.
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
