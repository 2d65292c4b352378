// @ts-check
import { backend } from './api.js';
import { BUILD } from './build.js';
import { BulkController } from './bulk/controller.js';
import { CardController } from './card/controller.js';
import { setupPanel } from './card/setup.js';
import { onOwnPage } from './kommo/own_page.js';
import { ensureStyle, isAdmin, openLeadId, wordsOf } from './kommo/page.js';
import { selectedLeads } from './kommo/selection.js';
import { showRuleForm } from './rule/form.js';
import { keyInput, stepInput, whenThere } from './rule/place.js';
import { contactsOf } from './send/contacts.js';
import { exitsOf, savedStep } from './step/saved.js';
import { showWait } from './step/wait.js';

/**
 * Registers Kommo's callbacks. Kommo constructs one object per area, may call `render` on it again, and calls
 * `destroy` when the area changes; settings and words are available only after construction.
 * @this {import('./types.d.ts').KommoWidget}
 */
export default function Widget() {
  const widget = this;
  const words = wordsOf(widget);
  const api = backend(widget);
  /** @type {CardController | null} */
  let card = null;
  /** @type {BulkController | null} */
  let bulk = null;

  const closeCard = () => {
    card?.destroy();
    card = null;
  };

  const showCard = () => {
    const leadId = openLeadId();
    if (leadId === null) {
      closeCard();
      return;
    }
    ensureStyle();
    const root = cardRoot(widget);
    if (card && card.leadId === leadId && root.hasChildNodes()) return;
    closeCard();
    card = new CardController({
      root,
      leadId,
      api,
      words,
      admin: isAdmin(),
      message: String(widget.get_settings().message ?? ''),
      description: String(widget.get_settings().description ?? ''),
      contacts: () => contactsOf(widget),
      onOtherDeal: showCard,
    });
  };

  const showBulk = () => {
    ensureStyle();
    bulk?.close();
    const onClose = () => {
      bulk = null;
    };
    bulk = new BulkController({ api, words, leads: selectedLeads(widget), onClose });
  };

  /** @param {Element | null} place @param {string[]} [notes] shown below it */
  const showSetup = (place, notes = []) => {
    ensureStyle();
    place?.querySelector('.dealpay-setup')?.remove();
    place?.append(setupPanel(api, words, notes));
  };

  /** Takes back what the widget's own page has waiting or made. */
  let leavePage = () => {};

  this.callbacks = {
    render() {
      showCard();
      return true;
    },
    init: () => true,
    bind_actions: () => true,
    settings($body) {
      const place = $body[0]?.querySelector('.widget_settings_block__descr') ?? $body[0] ?? null;
      showSetup(place, [
        words('setup.message', { message: words('created.message_text') }),
        words('setup.description', { description: words('form.description_default') }),
      ]);
      return true;
    },
    advancedSettings() {
      leavePage();
      leavePage = onOwnPage(widget.get_settings().widget_code, showSetup);
      return true;
    },
    dpSettings() {
      ensureStyle();
      const code = widget.get_settings().widget_code;
      whenThere(
        () => keyInput(code, 'payment_rule'),
        (input) => showRuleForm(input, api, words),
      );
      return true;
    },
    salesbotDesignerSettings($body) {
      ensureStyle();
      const place = $body[0] ?? document.body;
      const step = place.querySelector('[data-field-name="payment_rule"]') ? 'payment_link' : 'is_it_paid';
      if (step === 'payment_link') {
        whenThere(
          () => stepInput(place, 'payment_rule'),
          (input) => showRuleForm(input, api, words),
        );
      } else {
        whenThere(
          () => stepInput(place, 'wait_hours'),
          (input) => showWait(input, api, words),
        );
      }
      return { exits: exitsOf(step).map((code) => ({ code, title: words(`step.${code}`) })) };
    },
    onSalesbotDesignerSave: (step, params) => savedStep(step, params, BUILD.backend),
    onSave: () => true,
    leads: { selected: showBulk },
    destroy() {
      closeCard();
      bulk?.close();
      leavePage();
    },
  };
}

/**
 * Returns our element in the right panel: created once, found again when Kommo renders a second time.
 * @param {import('./types.d.ts').KommoWidget} widget
 */
function cardRoot(widget) {
  const id = `dealpay-${widget.get_settings().widget_code}`;
  const present = document.getElementById(id);
  if (present) return present;
  const body = '<div class="dealpay dealpay-fresh"></div>';
  widget.render_template({ caption: { class_name: 'dealpay-caption' }, body, render: '' });
  const made = /** @type {HTMLElement} */ (document.querySelector('.dealpay-fresh'));
  made.classList.remove('dealpay-fresh');
  made.id = id;
  return made;
}
