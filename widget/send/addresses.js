// @ts-check

/**
 * Returns the WhatsApp address with the message. The number is used only with its country code: without one it could
 * be somebody else's, so the rep chooses the chat in WhatsApp.
 * @param {string} text
 * @param {import('../types.d.ts').Contact | null} payer
 */
export function whatsAppAddress(text, payer) {
  const typed = (payer?.phone ?? '').replace(/[\s().\-/]/g, '');
  const number = /^(?:\+|00)([1-9]\d{6,14})$/.exec(typed)?.[1] ?? '';
  return `https://wa.me/${number}?text=${encodeURIComponent(text)}`;
}

/**
 * Returns the mailto address with subject and message; without a valid address the rep fills it in.
 * @param {string} text
 * @param {string} subject
 * @param {import('../types.d.ts').Contact | null} payer
 */
export function mailAddress(text, subject, payer) {
  const email = payer?.email ?? '';
  const to = /^[^\s@?&#,;]+@[^\s@?&#,;]+$/.test(email) ? encodeURIComponent(email).replace('%40', '@') : '';
  const body = text.replace(/\r?\n/g, '\r\n');
  return `mailto:${to}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`;
}
