import { ajax } from './app/ajax.js';
import { app } from './app/app.js';
import { Modal } from './app/modal.js';
import { setting, withUser } from './app/setting.js';
import { escaped } from './app/twig.js';
import { call, entryOf, loadArea } from './runner.js';

/** The form is drawn after the widget was told of it, and it is told a second time. */
const LATE = 200;

export async function openPipelinePage() {
  await loadArea('digital-pipeline');
  const stages = setting.pipeline.stages;
  for (const button of document.querySelectorAll('[data-stage] button')) {
    const stage = button.closest('[data-stage]').dataset.stage;
    const number = button.dataset.actionNumber;
    const actions = stages.flatMap((one) => one.actions);
    const fields = actions.find((one) => String(one.number) === number)?.fields ?? {};
    button.addEventListener('click', () => openForm(button.dataset.code, { stage, number, fields }));
  }
}

function openForm(code, action) {
  const entry = entryOf(code);
  const widget = app.widgets.list[code];
  return new Modal({
    class_name: 'modal-list',
    init($body) {
      call(widget, 'dpSettings');
      setTimeout(() => {
        $body.html(markup(entry, action.fields));
        $body.trigger('modal:loaded');
        $body.on('change', 'input', () =>
          $body.find('.js-action-save').each((_, one) => one.removeAttribute('disabled')),
        );
        $body.on('click', '.js-action-save', () => save(this, entry, action));
        setTimeout(() => call(widget, 'dpSettings'), LATE);
      }, LATE);
    },
  });
}

/** Two wrappers are printed in Kommo's documents (docs/facts/kommo-automation.md 1.2). */
function markup(entry, saved) {
  const fields = Object.entries(entry.dp_fields).map(([name, title]) => {
    const input = `<input name="${name}" class="text-input" value="${escaped(saved[name] ?? '')}">`;
    const label = `<label class="widget_settings_block__title_field" title="${escaped(title)}">${escaped(title)}</label>`;
    return `<div class="widget_settings_block__item_field">${label}<div class="widget_settings_block__input_field">${input}</div></div>`;
  });
  const ours = `<div class="digital-pipeline__short-task digital-pipeline__short-task_widget-style_${entry.code}">${escaped(entry.title)}</div>`;
  const buttons = `<button type="button" disabled class="host-button host-button_blue js-action-save">Save</button>
    <button type="button" class="host-button button-cancel js-trigger-cancel">Cancel</button>`;
  const body =
    setting.dp_form === 'edit_forms'
      ? `<form class="digital-pipeline__edit-forms" data-action="send_widget_hook"><div>${ours}</div>${fields.join('')}</form>`
      : `<div>${ours}</div><div id="widget_settings__fields_wrapper">${fields.join('')}</div>`;
  return `<button type="button" class="modal-body__close" aria-label="Close">×</button>${body}${buttons}`;
}

function save(modal, entry, action) {
  const inputs = [...modal.root.querySelectorAll('input[name]')].filter((one) => one.name in entry.dp_fields);
  const fields = Object.fromEntries(inputs.map((input) => [input.name, input.value]));
  if (!inputs.every((input) => input.value)) return;
  const body = { client_id: entry.client_id, status_id: action.stage, fields };
  if (action.number !== undefined) body.number = Number(action.number);
  ajax({
    url: withUser(`/ajax/pipelines/${setting.pipeline.id}/actions`),
    method: 'POST',
    data: JSON.stringify(body),
  }).then(() => {
    modal.destroy();
    location.reload();
  });
}
