import { ajax } from './app/ajax.js';
import { app } from './app/app.js';
import { $ } from './app/dollar.js';
import { setting, withUser } from './app/setting.js';
import { require } from './loader.js';
import { baseMethods } from './widget.js';

/** The order of calls of docs/facts/kommo-widget.md 2.3; `calls` keeps it for tests. */
export const calls = [];

const list = app.widgets.list;
const entries = {};

/** An area was entered: everything of the former one goes, then the area's widgets are started. */
export async function loadArea(area) {
  destroyAll();
  const answer = await ajax({
    url: withUser('/ajax/widgets/list'),
    method: 'POST',
    data: `area=${area}`,
    dataType: 'json',
  });
  const mine = answer.widgets.filter((entry) => entry.active === 'Y' && shownIn(entry, area));
  await Promise.all(mine.map(start));
}

function shownIn(entry, area) {
  const name = area.replace('-', '_');
  return entry.locations.some((one) => one.replace(/-[01]$/, '') === name);
}

async function start(entry) {
  entries[entry.code] = entry;
  if (list[entry.code]) return renderAgain(entry.code);
  const names = [`optional!${entry.src}?v=${entry.version}`, `json!${entry.lang}?v=${entry.version}`];
  return require(names, (Widget, words) => {
    if (typeof Widget === 'function') begin(entry, Widget, words);
  }, (error) => console.error(error));
}

function begin(entry, Widget, words) {
  try {
    Object.assign(Widget.prototype, baseMethods(entry));
    const widget = new Widget();
    list[entry.code] = widget;
    if (!['render', 'init', 'bind_actions'].every((name) => typeof widget.callbacks?.[name] === 'function')) {
      delete list[entry.code];
      return;
    }
    equip(widget, entry, words);
    run(widget, entry.code);
  } catch (error) {
    console.error(error);
  }
}

function equip(widget, entry, words) {
  const { code, version, path, client_id: oauth_client_uuid, active: widget_active, support } = entry;
  widget.ns = `.widget:${code}`;
  widget.init_once = entry.init_once ? 'Y' : 'N';
  widget.set_lang(words);
  const facts = {
    id: code,
    status: 'installed',
    widget_code: code,
    path,
    version,
    oauth_client_uuid,
    widget_active,
    support,
  };
  widget.set_settings({ ...entry.settings, ...facts, active: widget_active, images_path: `${path}/images` });
}

/** A promise from `render` delays `init` only; `bind_actions` comes at once and whatever `render` returned. */
function run(widget, code) {
  const rendered = call(widget, 'render');
  const proceed = () => {
    $(document).trigger(`widget:${code}:loaded`);
    call(widget, 'init');
  };
  if (typeof rendered?.then === 'function') rendered.then(proceed);
  else if (rendered) proceed();
  call(widget, 'bind_actions');
  if (setting.area === 'advanced-settings') call(widget, 'advancedSettings');
}

export function call(widget, name, ...given) {
  calls.push(name);
  return widget.callbacks[name]?.(...given);
}

/** A callback of a group, as `leads.selected` of a list. */
export function callOf(widget, group, name) {
  calls.push(`${group}.${name}`);
  return widget.callbacks[group]?.[name]?.();
}

/** The second `render` on an object that is still registered. */
export function renderAgain(code) {
  try {
    call(list[code], 'render');
  } catch (error) {
    console.error(error);
  }
}

export function renderAll() {
  for (const code of Object.keys(list)) renderAgain(code);
}

export function destroyAll() {
  for (const [code, widget] of Object.entries(list)) {
    if (widget.init_once === 'Y') continue;
    destroy(code, widget);
  }
}

function destroy(code, widget) {
  try {
    call(widget, 'destroy');
  } catch (error) {
    console.error(error);
  }
  $(document).off(widget.ns);
  document.querySelector(`#widgets_block .card-widgets__widget-${code}`)?.remove();
  delete list[code];
}

export function entryOf(code) {
  return entries[code];
}
