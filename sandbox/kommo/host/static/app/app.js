import { notifications } from './notifications.js';
import { setting } from './setting.js';
import { strict } from './strict.js';

/** Kommo's global `APP`: the page writes `app`, widgets read it through a strict proxy. */
const users = Object.fromEntries(setting.users.map((user) => [user.id, manager(user)]));

const constants = {
  user: { id: setting.user.id, name: setting.user.name, login: setting.user.login, theme: theme(), settings: {} },
  user_rights: { is_admin: setting.user.is_admin },
  account: { id: setting.account.id, subdomain: setting.account.subdomain, timezone: setting.account.timezone, cf: {} },
  managers: users,
  groups: {},
  task_types: {},
};

const page = { current_card: false, current_entity: 'leads', is_card: false };

export const app = {
  data: strict('APP.data', page),
  lang_id: setting.user.lang,
  click_event: 'click',
  element_types: { leads: 2, contacts: 1 },
  cf_types: {},
  getBaseEntity: () => 'leads',
  isCard: () => page.is_card,
  getWidgetsArea: () =>
    ({ lcard: 'leads_card', settings: 'widgetsSettings', llist: 'leads' })[setting.area] ?? setting.area,
  constant: (name) => strict('APP.constant', constants)[name],
  system: { format: { date: {} } },
  sdk: { showUserStatus: () => {} },
  notifications,
  widgets: { list: {}, system: system() },
};

let linked = [];

/** The contacts of the card that is shown. */
export const contactsShown = () => linked;

/** @param {{id: number, attributes: Record<string, string>, contacts: object[]} | null} card */
export function showCard(card) {
  linked = card?.contacts ?? [];
  page.is_card = card !== null;
  page.current_card = card ? strict('APP.data.current_card', cardOf(card)) : false;
}

function cardOf({ id, attributes }) {
  return {
    id,
    element_type: 2,
    new_card: id === 0,
    main_user: setting.user.id,
    model: { attributes },
    linked_forms: { form_models: { models: [] } },
  };
}

export function system() {
  const { user, account } = setting;
  return { area: setting.area, amouser: user.login, amouser_id: user.id, amohash: '', subdomain: account.subdomain };
}

function manager(user) {
  const flag = user.is_admin ? 'Y' : 'N';
  return {
    id: user.id,
    title: user.name,
    option: user.name,
    active: true,
    login: user.login,
    is_admin: flag,
    free_user: 'N',
  };
}

function theme() {
  return document.documentElement.dataset.colorScheme === 'dark' ? 2 : 1;
}
