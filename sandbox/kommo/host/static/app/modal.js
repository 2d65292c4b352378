import { $ } from './dollar.js';

/**
 * Kommo's window: the body stays under a spinner until `modal:loaded`; it closes by its cross, by Esc, by a click
 * beside it and when the page changes.
 */
export class Modal {
  constructor(options = {}) {
    this.options = { class_name: 'modal-list', init: () => {}, destroy: () => {}, ...options };
    this.root = document.createElement('div');
    this.root.className = `modal ${this.options.class_name}`;
    const body = '<div class="modal-body" role="dialog" aria-modal="true"><div class="modal-body__inner"></div></div>';
    this.root.innerHTML = `<div class="modal-scroller">${body}</div>`;
    (this.options.container ?? document.body).append(this.root);
    this.close = (event) => this.closeBy(event);
    this.root.addEventListener('click', this.close);
    document.addEventListener('keydown', this.close);
    document.addEventListener('page:changed', this.close);
    const inner = $(this.root.querySelector('.modal-body__inner'));
    inner.on('modal:loaded', () => this.root.classList.add('modal-loaded'));
    this.options.init.call(this, inner);
  }

  closeBy(event) {
    const beside = event.type === 'click' && event.target.matches('.modal-scroller');
    const cross = event.type === 'click' && event.target.closest('.modal-body__close, .button-cancel');
    const esc = event.type === 'keydown' && event.key === 'Escape';
    if ((beside || esc) && this.options.disable_overlay_click) return;
    if (beside || cross || esc || event.type === 'page:changed') this.destroy();
  }

  destroy() {
    if (this.options.destroy.call(this) === false) return;
    document.removeEventListener('keydown', this.close);
    document.removeEventListener('page:changed', this.close);
    this.root.remove();
  }
}
