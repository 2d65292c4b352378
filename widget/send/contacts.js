// @ts-check

/**
 * Returns the deal's contacts from Kommo's page, with the user's rights; none if the page does not tell. Then a link
 * is sent without an address, and the rep chooses it in WhatsApp or the mail program.
 * @param {import('../types.d.ts').KommoWidget} widget
 * @returns {Promise<import('../types.d.ts').Contact[]>}
 */
export async function contactsOf(widget) {
  try {
    const told = await widget.get_current_card_contacts_data?.();
    return Array.isArray(told) ? told.map(contactOf) : [];
  } catch {
    return [];
  }
}

/**
 * Returns a contact; unknown parts are ''.
 * @param {any} told
 * @returns {import('../types.d.ts').Contact}
 */
function contactOf(told) {
  const name = String(told?.first_name || told?.name || '').trim();
  return {
    id: Number(told?.id) || 0,
    // Kommo uses the number or address as the name of an unnamed contact.
    name: /[\d@+]/.test(name) ? '' : name,
    phone: firstOf(told?.phones),
    email: firstOf(told?.emails),
  };
}

/**
 * Returns the first entry. Kommo's documentation does not show the entries: text, or an object that holds it.
 * @param {unknown} given
 */
function firstOf(given) {
  const entry = Array.isArray(given) ? given[0] : undefined;
  return String((typeof entry === 'object' ? entry?.value : entry) ?? '').trim();
}

/**
 * Returns the payer: the contact that the request names, or the deal's only one; null if that is uncertain.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../types.d.ts').Contact[]} contacts
 */
export function payerOf(request, contacts) {
  if (request.contact_id) return contacts.find(({ id }) => id === request.contact_id) ?? null;
  return contacts.length === 1 ? contacts[0] : null;
}
