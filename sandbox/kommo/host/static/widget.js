import { ajax } from './app/ajax.js';
import { contactsShown, system } from './app/app.js';
import { Deferred } from './app/deferred.js';
import { selectedRows } from './app/rows.js';
import { setting, withUser } from './app/setting.js';
import { complain } from './app/strict.js';
import { CONTROLS, twig } from './app/twig.js';

let token = { value: '', until: 0 };

/** What the host puts on a widget's prototype before it constructs it; settings and words follow after construction. */
export function baseMethods(entry) {
  const methods = {
    system,
    get_settings() {
      if (!this.params) throw complain('get_settings was called before the host set the settings');
      return this.params;
    },
    set_settings(more) {
      this.params = { ...this.params, ...more };
    },
    get_version: () => entry.version,
    i18n(key) {
      if (!this.langs) throw complain('i18n was called before the host set the words');
      return key.split('.').reduce((found, name) => found?.[name], this.langs);
    },
    set_lang(words) {
      this.langs = words;
    },
    get_current_card_contacts_data: contacts,
    list_selected() {
      if (setting.area !== 'llist') throw complain('list_selected outside of a list');
      return selectedRows();
    },
    render_template,
    render,
    crm_post: () => {
      throw complain('crm_post carries no proof of the user; use $authorizedAjax');
    },
  };
  if (setting.contacts === 'absent') delete methods.get_current_card_contacts_data;
  return setting.ajax === 'absent' ? methods : { ...methods, $authorizedAjax: (options) => authorized(entry, options) };

  /** The block in the right panel: caption with the logos, then the body. */
  function render_template({ caption, body, render: template }, params) {
    const place = document.querySelector('.card-widgets__elements');
    if (!place) throw complain('render_template outside of a card');
    if (place.querySelector(`.card-widgets__widget-${entry.code}`)) throw complain('render_template twice in one card');
    const block = document.createElement('div');
    block.className = `card-widgets__widget card-widgets__widget-${entry.code}`;
    block.innerHTML = `<div class="card-widgets__widget__caption js-widget-caption-block ${caption.class_name}">
      <img class="card-widgets__widget__caption__logo" alt="" src="${entry.path}/images/logo_medium.png">
      <img class="card-widgets__widget__caption__logo_min" alt="" src="${entry.path}/images/logo_min.png">
      <span class="card-widgets__widget__caption__arrow"></span></div>
      <div class="card-widgets__widget__body js-body-hide"></div>`;
    block.lastElementChild.innerHTML = body || twig(template, params);
    place.append(block);
  }
}

/** The contacts of the card's deal; whether phones and e-mails are texts or objects is not told: both are played. */
async function contacts() {
  if (setting.contacts !== 'objects') return contactsShown();
  const asObjects = (values) => values.map((value) => ({ value, enum_code: 'WORK' }));
  return contactsShown().map((one) => ({ ...one, phones: asObjects(one.phones), emails: asObjects(one.emails) }));
}

function render({ data, ref, href }, params) {
  if (href) throw complain('templates by href are not played here');
  const template = ref ? CONTROLS[ref] : data;
  if (template === undefined) throw complain(`no control is called ${ref}`);
  return twig(template, params);
}

/** `$.ajax` with the user's one-time token, which the page keeps for 25 minutes. */
function authorized(entry, options) {
  if (options.headers) throw complain('nobody says that Kommo keeps a header of the caller beside its own');
  const outcome = Deferred();
  tokenOf(entry).then(
    (value) => {
      ajax({ ...options, headers: { 'X-Auth-Token': value } })
        .done(outcome.resolve)
        .fail(outcome.reject);
    },
    (...refused) => outcome.reject(...refused),
  );
  return outcome.promise();
}

function tokenOf(entry) {
  const held = Deferred();
  if (Date.now() < token.until) return held.resolve(token.value).promise();
  const url = withUser(`/ajax/v2/integrations/${entry.client_id}/disposable_token`);
  return ajax({ url, dataType: 'json' }).then((answer) => {
    token = { value: answer.token, until: Date.now() + setting.token_minutes * 60000 };
    return answer.token;
  });
}
