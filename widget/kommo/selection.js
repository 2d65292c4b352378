// @ts-check

/**
 * Ids of the deals that are ticked in Kommo's list, in its order. Kommo tells only of rows that are on the screen.
 * @param {import('../types.d.ts').KommoWidget} widget
 * @returns {number[]}
 */
export function selectedLeads(widget) {
  const told = widget.list_selected?.()?.selected ?? [];
  const ids = told.filter((one) => (one.type ?? 'lead') === 'lead').map((one) => Number(one.id));
  return [...new Set(ids.filter((id) => Number.isSafeInteger(id) && id > 0))];
}
