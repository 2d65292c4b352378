import { ajax } from './app/ajax.js';
import { app } from './app/app.js';
import { Modal } from './app/modal.js';
import { setting, withUser } from './app/setting.js';
import { escaped } from './app/twig.js';
import { call, entryOf, loadArea } from './runner.js';

export async function openSettingsPage() {
  await loadArea('settings');
  for (const button of document.querySelectorAll('[data-settings-of]')) {
    button.addEventListener('click', () => openWindow(button.dataset.settingsOf));
  }
}

/** The widget's own page: its container has one of the two names seen in the wild, comes late, or is not there. */
export async function openAdvancedPage() {
  const place = document.getElementById('list_page_holder');
  if (setting.container === 'work-area') place.id = `work-area-${setting.code}`;
  if (['none', 'late'].includes(setting.container)) place.remove();
  await loadArea('advanced-settings');
  if (setting.container === 'late') document.querySelector('main').append(place);
}

function openWindow(code) {
  const entry = entryOf(code);
  const widget = app.widgets.list[code];
  return new Modal({
    class_name: `modal-list widget-settings__modal ${code}`,
    init($body) {
      $body.html(markup(entry));
      $body.trigger('modal:loaded');
      $body.on('click', '.js-widget-save', () => save(this, entry, widget));
      $body.on('input', 'input', () => $body.find('.js-widget-save').each((_, one) => one.removeAttribute('disabled')));
      call(widget, 'settings', $body);
    },
  });
}

function markup(entry) {
  const fields = Object.entries(entry.fields).map(([name, [, title]]) => {
    const value = escaped(entry.settings[name] ?? '');
    return `<div class="widget_settings_block__item_field">
      <label class="widget_settings_block__title_field" title="${escaped(title)}" for="f-${name}">${escaped(title)}</label>
      <div class="widget_settings_block__input_field"><input id="f-${name}" name="${name}" class="text-input" value="${value}"></div></div>`;
  });
  return `<button type="button" class="modal-body__close" aria-label="Close">×</button>
    <div class="widget_settings_block"><div class="widget_settings_block__descr"></div>
    <div class="widget_settings_block__fields" id="widget_settings__fields_wrapper">${fields.join('')}
    <div class="widget_settings_block__controls"><button type="button" disabled class="host-button host-button_blue js-widget-save"
      id="save_${entry.code}" data-onsave-destroy-modal="true">Save</button></div></div></div>`;
}

async function save(modal, entry, widget) {
  const fields = Object.fromEntries(
    [...modal.root.querySelectorAll('input')].map((input) => [input.name, input.value]),
  );
  const agreed = await call(widget, 'onSave', { active: 'Y', fields });
  if (!agreed) return;
  ajax({
    url: withUser(`/ajax/widgets/${entry.client_id}/settings`),
    method: 'POST',
    data: JSON.stringify({ fields }),
  });
  modal.destroy();
}
