const ticks = () => [...document.querySelectorAll('[data-lead]')];
export const ticked = () => ticks().filter((one) => one.checked);

/** What `list_selected` tells: only rows that are on the screen (docs/facts/kommo-automation.md 8). */
export function selectedRows() {
  const selected = ticked().map((one) => ({ id: Number(one.dataset.lead), type: 'lead', emails: [], phones: [] }));
  return { selected, summary: { items: selected.length, emails: 0, phones: 0 } };
}
