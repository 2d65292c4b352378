// @ts-check

/**
 * The deal's contacts as Kommo's page has them, with the rights of the user who looks. None where the page does not
 * tell: then a link is sent without an address, and the rep chooses it in WhatsApp or the mail program.
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

/** @param {any} told @returns {import('../types.d.ts').Contact} */
function contactOf(told) {
  const name = String(told?.first_name || told?.name || '').trim();
  return {
    id: Number(told?.id) || 0,
    // A contact that nobody has named is called by its number or address.
    name: /[\d@+]/.test(name) ? '' : name,
    phone: firstOf(told?.phones),
    email: firstOf(told?.emails),
  };
}

/**
 * Kommo's documentation does not show the entries: text, or an object that holds it.
 * @param {unknown} given
 */
function firstOf(given) {
  const entry = Array.isArray(given) ? given[0] : undefined;
  return String((typeof entry === 'object' ? entry?.value : entry) ?? '').trim();
}

/**
 * Whom the request is for: the contact that it names, or the deal's only one. Nobody where that is not sure.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../types.d.ts').Contact[]} contacts
 */
export function payerOf(request, contacts) {
  if (request.contact_id) return contacts.find(({ id }) => id === request.contact_id) ?? null;
  return contacts.length === 1 ? contacts[0] : null;
}
