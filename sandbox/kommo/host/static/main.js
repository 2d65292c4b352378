import { app } from './app/app.js';
import { $, listenersOf } from './app/dollar.js';
import { setting } from './app/setting.js';
import { complaints, strict } from './app/strict.js';
import { openDealPage, switchTo } from './deal.js';
import { openDesignerPage } from './designer.js';
import { openListPage } from './list.js';
import { define, require } from './loader.js';
import { openPipelinePage } from './pipeline.js';
import { calls, destroyAll, loadArea, renderAll } from './runner.js';
import { openAdvancedPage, openSettingsPage } from './settings.js';

Object.assign(window, { define, require, $, jQuery: $, APP: strict('APP', app) });

/** For tests: what happened, and the moves that a person has no button for. */
window.host = {
  calls,
  complaints,
  switchTo,
  renderAll,
  destroyAll,
  loadArea,
  documentListeners: () => listenersOf(document),
};

const PAGES = {
  lcard: openDealPage,
  llist: openListPage,
  settings: openSettingsPage,
  'advanced-settings': openAdvancedPage,
  'digital-pipeline': openPipelinePage,
  'salesbot-designer': openDesignerPage,
};

for (const choice of document.querySelectorAll('[data-submit]')) {
  choice.addEventListener('change', () => choice.form.submit());
}
await PAGES[setting.area]?.();
document.documentElement.dataset.ready = 'yes';
