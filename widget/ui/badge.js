// @ts-check
import { el } from './dom.js';

/** @type {Record<string, string>} */
const COLOURS = {
  paid: 'green',
  pending: 'blue',
  processing: 'blue',
  partially_paid: 'orange',
  partially_refunded: 'orange',
  refunded: 'grey',
  failed: 'red',
  disputed: 'red',
  inquiry: 'orange',
};

/**
 * Returns a state as a coloured label. A state that this widget does not know (of a newer backend) is shown as it is.
 * @param {string} state
 * @param {import('../types.d.ts').Words} words
 */
export function badge(state, words) {
  const name = state.replace(/ /g, '_');
  const key = `state.${name}`;
  const label = words(key);
  const text = label === key ? state : label;
  return el('span', { class: `dealpay-badge dealpay-badge-${colourOf(state)}`, text });
}

/** Returns the colour of a state. @param {string} state */
export function colourOf(state) {
  return COLOURS[state.replace(/ /g, '_')] ?? 'grey';
}
