// @ts-check
import { el } from '../ui/dom.js';
import { breakableAmount } from '../ui/money.js';

/**
 * Returns the row of an amount and its state.
 * @param {import('../types.d.ts').Amount} money
 * @param {HTMLElement} state
 * @param {string} lang
 */
export function line(money, state, lang) {
  return el(
    'p',
    { class: 'dealpay-row' },
    el('strong', { class: 'dealpay-amount', text: breakableAmount(money, lang) }),
    state,
  );
}

/**
 * Returns a line of the known parts (what for, when, by whom), false if there are none. A name in Arabic or Hebrew does
 * not turn its neighbours.
 * @param {...(string | null | undefined | false)} parts
 */
export function facts(...parts) {
  const known = parts.filter((one) => !!one);
  const parted = known.flatMap((one, place) => [place > 0 && ' · ', el('bdi', { text: one })]);
  return known.length > 0 && el('p', { class: 'dealpay-small dealpay-muted dealpay-wrap' }, ...parted);
}

/**
 * Returns a calendar day in the reader's format.
 * @param {string} date ISO 8601 without a time
 * @param {string} lang
 */
export function calendarDay(date, lang) {
  const noon = new Date(`${date}T12:00:00Z`);
  if (Number.isNaN(noon.getTime())) return date;
  return new Intl.DateTimeFormat(lang, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(
    noon,
  );
}

/**
 * Returns the line of a link's due date and last day.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {string | undefined} today in the account's time zone
 * @param {{words: import('../types.d.ts').Words, lang: string}} props
 */
export function daysOf({ due_on, valid_until }, today, { words, lang }) {
  const late = due_on && today && due_on < today ? 'list.overdue' : 'list.due';
  const line = facts(
    due_on && words(late, { date: calendarDay(due_on, lang) }),
    valid_until && words('list.until', { date: calendarDay(valid_until, lang) }),
  );
  if (line && late === 'list.overdue') line.classList.add('dealpay-late');
  return line;
}

/**
 * Returns a time in the reader's format; other text unchanged.
 * @param {string} time RFC 3339
 * @param {string} lang
 */
export function day(time, lang) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const thisYear = date.getFullYear() === new Date().getFullYear();
  /** @type {Intl.DateTimeFormatOptions} */
  const shape = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
  return new Intl.DateTimeFormat(lang, thisYear ? shape : { ...shape, year: 'numeric' }).format(date);
}
