// @ts-check
import { el } from '../dom.js';
import { svg } from '../icons.js';
import { qrCode } from './qr.js';

const RIM = 4;

/**
 * Returns the link's QR code behind a fold, for a client at the desk; null if the address is too long for one.
 * @param {string} url
 * @param {import('../../types.d.ts').Words} words
 * @param {{open: boolean, key: string, onToggle: (open: boolean) => void}} fold
 */
export function qrFold(url, words, { open, key, onToggle }) {
  const rows = qrCode(url);
  if (!rows) return null;
  const side = rows.length + 2 * RIM;
  const picture = svg('svg', { viewBox: `0 0 ${side} ${side}`, class: 'dealpay-qr', role: 'img' });
  picture.setAttribute('aria-label', words('send.qr_label'));
  picture.append(svg('path', { class: 'dealpay-qr-paper', d: `M0 0h${side}v${side}h-${side}z` }));
  picture.append(svg('path', { class: 'dealpay-qr-ink', d: rows.map(squares).join('') }));
  const title = el('summary', { class: 'dealpay-fold-title', 'data-key': key, text: words('send.qr') });
  const toggle = (/** @type {Event} */ event) => onToggle(/** @type {HTMLDetailsElement} */ (event.target).open);
  return el('details', { class: 'dealpay-fold', open, on: { toggle } }, title, picture);
}

/**
 * @param {boolean[]} row
 * @param {number} y
 */
function squares(row, y) {
  return row.map((dark, x) => (dark ? `M${x + RIM} ${y + RIM}h1v1h-1z` : '')).join('');
}
