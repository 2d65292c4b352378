// @ts-check

import { userName } from '../kommo/page.js';
import { named } from '../send/names.js';
import { el } from '../ui/dom.js';
import { day, facts } from './amount_line.js';

/**
 * Returns the line of a link's next reminder with its actions, null without one.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').State} state
 * @param {import('./list.js').ListProps} props
 */
export function nextReminder(request, { deal }, props) {
  const { words, lang, actions } = props;
  const next = deal?.reminders?.coming.find((one) => one.request_id === request.id);
  if (!next) return null;
  /** @param {'skip' | 'send'} what */
  const button = (what) => {
    const made = el('button', {
      type: 'button',
      class: 'dealpay-link',
      'data-key': `reminder-${what}-${request.id}`,
      text: words(`reminder.${what}`),
      on: { click: () => actions.reminders.remind(request.id, what, next.step) },
    });
    made.setAttribute('aria-label', named(made, request, props));
    return made;
  };
  const values = { date: day(next.at, lang), channel: words(`reminder.${next.channel}`) };
  return el(
    'p',
    { class: 'dealpay-actions' },
    el('span', { class: 'dealpay-small dealpay-muted', text: words('reminder.next', values) }),
    ...(deal?.may?.create === false ? [] : [button('skip'), button('send')]),
  );
}

/** Older ones say no more than these. */
const MOST_PAST = 4;

/**
 * What became of a link's reminders, the newest first.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').State} state
 * @param {import('./list.js').ListProps} props
 */
export function pastReminders(request, { deal }, { words, lang }) {
  const mine = (deal?.reminders?.past ?? []).filter((one) => one.request_id === request.id);
  return mine.slice(0, MOST_PAST).map(({ state, reason, at, by }) => {
    const known = words(`reminder.past_${state}`);
    const why = reason && reasonOf(reason, words);
    return facts(day(at, lang), known.startsWith('reminder.') ? state : known, why, userName(by));
  });
}

/**
 * A reason that this widget does not know (a newer backend) is shown as it came.
 * @param {string} reason
 * @param {import('../types.d.ts').Words} words
 */
function reasonOf(reason, words) {
  const known = words(`reminder.reason_${reason}`);
  return known.startsWith('reminder.') ? reason : known;
}

/**
 * Returns the button that stops or resumes the deal's reminders; null if there are none.
 * @param {import('../types.d.ts').Deal} deal
 * @param {import('./list.js').ListProps} props
 */
export function reminderStop(deal, { words, actions }) {
  const { reminders } = deal;
  if (!reminders || (!reminders.stopped && reminders.coming.length === 0) || deal.may?.create === false) return null;
  const { stopped } = reminders;
  return el(
    'p',
    { class: 'dealpay-actions' },
    stopped && el('span', { class: 'dealpay-small dealpay-muted', text: words('reminder.stopped') }),
    el('button', {
      type: 'button',
      class: 'dealpay-link',
      'data-key': 'reminder-stop',
      text: words(stopped ? 'reminder.go_on' : 'reminder.stop'),
      on: { click: () => actions.reminders.stop(!stopped) },
    }),
  );
}
