import { ajax } from './app/ajax.js';
import { showCard } from './app/app.js';
import { $ } from './app/dollar.js';
import { setting, withUser } from './app/setting.js';
import { feedEntry, fieldGroup } from './paper.js';
import { destroyAll, loadArea, renderAll } from './runner.js';

const node = (id) => document.getElementById(id);
const inputs = {
  'lead[NAME]': node('deal-name'),
  'lead[PRICE]': node('lead_card_budget'),
  'lead[STATUS]': node('deal-stage'),
};

let shown = setting.card;
/** What is typed and not saved; `APP.data.current_card.model.attributes` is this very object. */
let attributes = {};

export async function openDealPage() {
  fill(shown);
  for (const [name, input] of Object.entries(inputs)) input.addEventListener('input', () => typed(name, input.value));
  node('deal-save').firstElementChild.addEventListener('click', save);
  panel();
  await loadArea('lcard');
  setInterval(refresh, 1000);
}

function fill(card) {
  shown = card;
  attributes = { 'lead[NAME]': card.name, 'lead[PRICE]': card.price, 'lead[STATUS]': String(card.status_id) };
  showCard({ id: card.id, attributes, contacts: card.contact_cards });
  paint(card);
  inputs['lead[STATUS]'].replaceChildren(...card.stages.map((stage) => new Option(stage.name, stage.id)));
  for (const [name, input] of Object.entries(inputs)) input.value = attributes[name];
  node('deal-save').hidden = true;
}

function paint(card) {
  node('deal-id').textContent = card.id || 'new';
  node('deal-tags').textContent = (card.tags ?? []).map((tag) => ` #${tag}`).join('');
  node('deal-contacts').textContent = card.contacts.join(', ') || '…';
  node('deal-groups').replaceChildren(...card.groups.map(fieldGroup));
  node('deal-feed').replaceChildren(...card.feed.map(feedEntry));
}

function typed(name, value) {
  attributes[name] = value;
  node('deal-save').hidden = false;
}

/** The card changes by itself while a person watches; what is being typed stays. */
async function refresh() {
  if (!shown.id || document.visibilityState !== 'visible') return;
  const card = await ask('GET', shown.id);
  if (card.id !== shown.id || JSON.stringify(card) === JSON.stringify(shown)) return;
  if (node('deal-save').hidden) fill(card);
  else paint(card);
}

function ask(method, id, body) {
  const data = body && JSON.stringify(body);
  const url = withUser(`/ajax/leads/detail/${id}`);
  return new Promise((took, refused) => ajax({ url, method, data, dataType: 'json' }).done(took).fail(refused));
}

async function save() {
  const [name, price, status_id] = Object.values(attributes);
  const card = await ask('POST', shown.id, { name, price, ...(Number(status_id) ? { status_id } : {}) });
  const isNew = shown.id === 0;
  fill(card);
  if (!isNew) return;
  history.replaceState(null, '', `/leads/detail/${card.id}${location.search}`);
  renderAll();
}

/** Another deal without a page load, in one of the ways Kommo may do it (docs/facts/kommo-widget.md 4, card switch). */
export async function switchTo(leadId, way = setting.switch) {
  const card = await ask('GET', leadId);
  $(document).trigger('page:changed');
  if (way === 'new') destroyAll();
  if (way === 'rebuilt') document.querySelector('.card-widgets__elements').replaceChildren();
  history.pushState(null, '', `/leads/detail/${leadId}${location.search}`);
  fill(card);
  if (way === 'new') await loadArea('lcard');
  if (way === 'render' || way === 'rebuilt') renderAll();
}

/** The right panel: collapsed and open, a click on a caption folds its body. */
function panel() {
  const block = node('widgets_block');
  block.style.width = `${setting.width}px`;
  block.classList.toggle('js-widgets-active', setting.panel === 'open');
  $(block).on('click', '.js-card-widgets-on-off', () => block.classList.toggle('js-widgets-active'));
  $(block).on('click', '.js-widget-caption-block', (event) => {
    event.target.closest('.card-widgets__widget').lastElementChild.classList.toggle('js-body-hide');
  });
}
