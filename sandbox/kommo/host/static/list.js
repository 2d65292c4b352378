import { app } from './app/app.js';
import { ticked } from './app/rows.js';
import { callOf, loadArea } from './runner.js';

const ticks = () => [...document.querySelectorAll('[data-lead]')];

export async function openListPage() {
  await loadArea('llist');
  const all = document.getElementById('list-all');
  all.addEventListener('change', () => {
    for (const one of ticks()) one.checked = all.checked;
    showActions();
  });
  for (const one of ticks()) one.addEventListener('change', showActions);
  for (const button of document.querySelectorAll('[data-list-action]')) {
    button.addEventListener('click', () => callOf(app.widgets.list[button.dataset.listAction], 'leads', 'selected'));
  }
  showActions();
}

function showActions() {
  const bar = document.querySelector('.list-multiple-actions');
  const count = ticked().length;
  bar.hidden = count === 0;
  bar.querySelector('.list-multiple-actions__count').textContent = `${count} selected`;
}
