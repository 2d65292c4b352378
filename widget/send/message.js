// @ts-check

import { calendarDay, day } from '../list/amount_line.js';
import { formatAmount } from '../ui/money.js';

/**
 * Returns the day by which to pay: the due date, else the link's last day.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {string} lang
 */
function dueOf({ due_on, valid_until, expires_at }, lang) {
  const date = due_on ?? valid_until;
  if (date) return calendarDay(date, lang);
  return expires_at ? day(expires_at, lang) : '';
}

/** A sentence with a date. */
const DATED = /[ \t]*[^.!?\n]*\{due\}[^.!?\n]*[.!?]?/g;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/**
 * Returns a template without what it says of a date. If the same sentence says more than the date, leaving it out would
 * leave out the amount, so our own message takes the template's place.
 * @param {string} template
 * @param {import('../types.d.ts').Words} words
 */
function undated(template, words) {
  const saysMore = (template.match(DATED) ?? []).some((one) => /\{(description|amount|link)\}/.test(one));
  return saysMore ? words('created.message_text') : template.replace(DATED, '');
}

/** Returns a text that leaves its neighbours in their places, in Arabic or Hebrew too. @param {string} text */
function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/**
 * Returns the administrator's message, or ours, filled in for one link; the link is appended if the message lacks it.
 * Without a name its placeholder goes with the space before it; without a date the sentence about it is dropped.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../types.d.ts').Contact | null} payer
 * @param {{words: import('../types.d.ts').Words, lang: string, message: string}} props
 */
export function messageOf(request, payer, { words, lang, message }) {
  /** @type {Record<string, string>} */
  const values = {
    name: isolated(payer?.name ?? ''),
    description: isolated(request.description),
    amount: formatAmount(request, lang),
    link: request.url,
    due: dueOf(request, lang),
  };
  let text = message || words('created.message_text');
  if (!values.due) text = undated(text, words);
  if (!values.name) text = text.replace(/,?[ \u00a0]*\{name\}/g, '');
  text = text.replace(/\{(name|description|amount|link|due)\}/g, (_, name) => values[name]).trim();
  return text.includes(request.url) ? text : `${text} ${request.url}`.trim();
}
