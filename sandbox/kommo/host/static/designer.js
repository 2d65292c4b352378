import { ajax } from './app/ajax.js';
import { app } from './app/app.js';
import { Modal } from './app/modal.js';
import { setting, withUser } from './app/setting.js';
import { escaped } from './app/twig.js';
import { call, loadArea } from './runner.js';

export async function openDesignerPage() {
  await loadArea('salesbot-designer');
  for (const button of document.querySelectorAll('[data-step]')) {
    button.addEventListener('click', () => openForm(setting.steps[Number(button.dataset.step)]));
  }
}

function openForm(step) {
  const widget = app.widgets.list[step.code];
  return new Modal({
    class_name: 'modal-list',
    init($body) {
      $body.html(markup(step));
      $body.trigger('modal:loaded');
      const rows = $body[0].querySelector('.salesbot-designer__rows');
      const renderRow = (caption) =>
        rows.append(Object.assign(document.createElement('div'), { textContent: caption }));
      const { exits } = call(widget, 'salesbotDesignerSettings', $body, renderRow, {});
      const list = exits.map((one) => `<li data-exit="${escaped(one.code)}">${escaped(one.title)}</li>`);
      $body[0].querySelector('.salesbot-designer__exits').innerHTML = list.join('');
      $body.on('click', '.js-step-save', () => save(this, step, exits, widget));
    },
  });
}

function markup(step) {
  const fields = Object.entries(step.fields).map(
    ([code, title]) => `<div data-field-name="${escaped(code)}"><label>${escaped(title)}</label>
      <input class="text-input" name="value_manual"></div>`,
  );
  return `<button type="button" class="modal-body__close" aria-label="Close">×</button><h2>${escaped(step.title)}</h2>
    ${fields.join('')}<div class="salesbot-designer__rows"></div><ul class="salesbot-designer__exits"></ul>
    <button type="button" class="host-button host-button_blue js-step-save">Save</button>`;
}

function save(modal, step, exits, widget) {
  const inputs = [...modal.root.querySelectorAll('[data-field-name] [name=value_manual]')];
  const params = Object.fromEntries(
    inputs.map((one) => [one.closest('[data-field-name]').dataset.fieldName, one.value]),
  );
  const saved = call(widget, 'onSalesbotDesignerSave', step.handler, params);
  const body = { client_id: step.client_id, handler: step.handler, exits: exits.map((one) => one.code), saved, params };
  ajax({ url: withUser('/ajax/salesbots'), method: 'POST', data: JSON.stringify(body) }).then(() => modal.destroy());
}
