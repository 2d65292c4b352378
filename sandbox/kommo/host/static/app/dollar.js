import { ajax } from './ajax.js';
import { Deferred } from './deferred.js';
import { complain } from './strict.js';

/** The part of jQuery that Kommo's pages hand to widgets; reading anything else of a collection is an error. */
export function $(what, context = document) {
  return new Proxy(new Collection(nodesOf(what, context)), {
    get(collection, key) {
      if (key in collection || typeof key === 'symbol') return Reflect.get(collection, key);
      if (/^\d+$/.test(key)) return collection.nodes[Number(key)];
      if (['then', 'toJSON', 'nodeType', 'window'].includes(key)) return undefined;
      throw complain(`$ has no ${key} here`);
    },
  });
}

Object.assign($, {
  ajax,
  Deferred,
  extend: Object.assign,
  noop: () => {},
  isFunction: (one) => typeof one === 'function',
});

function nodesOf(what, context) {
  if (!what) return [];
  if (typeof what !== 'string') return what.nodes ?? (Array.isArray(what) ? what : [what]);
  if (!what.trim().startsWith('<')) return [...context.querySelectorAll(what)];
  const template = document.createElement('template');
  template.innerHTML = what;
  return [...template.content.children];
}

/** Listeners by node: `{type, spaces, selector, handler, native}`. */
const registry = new WeakMap();

export function listenersOf(node) {
  return registry.get(node) ?? [];
}

class Collection {
  constructor(nodes) {
    this.nodes = nodes;
    this.length = nodes.length;
  }

  each(visit) {
    for (const [place, node] of this.nodes.entries()) visit.call(node, place, node);
    return this;
  }

  find(selector) {
    return $(this.nodes.flatMap((node) => [...node.querySelectorAll(selector)]));
  }

  closest(selector) {
    return $(this.nodes.map((node) => node.closest(selector)).filter(Boolean));
  }

  html(markup) {
    if (markup === undefined) return this.nodes[0]?.innerHTML;
    return this.each((_, node) => {
      node.innerHTML = markup;
    });
  }

  text(words) {
    if (words === undefined) return this.nodes.map((node) => node.textContent).join('');
    return this.each((_, node) => {
      node.textContent = words;
    });
  }

  append(what) {
    return this.each((_, node) => node.append(...nodesOf(what, document)));
  }

  remove() {
    return this.each((_, node) => node.remove());
  }

  val(value) {
    if (value === undefined) return this.nodes[0]?.value;
    return this.each((_, node) => {
      node.value = value;
    });
  }

  attr(name, value) {
    if (value === undefined) return this.nodes[0]?.getAttribute(name) ?? undefined;
    return this.each((_, node) => node.setAttribute(name, value));
  }

  addClass(names) {
    return this.each((_, node) => node.classList.add(...names.split(' ')));
  }

  removeClass(names) {
    return this.each((_, node) => node.classList.remove(...names.split(' ')));
  }

  toggleClass(name, on) {
    return this.each((_, node) => node.classList.toggle(name, on));
  }

  hasClass(name) {
    return this.nodes.some((node) => node.classList.contains(name));
  }

  on(events, ...rest) {
    const [selector, handler] = rest.length > 1 ? rest : ['', rest[0]];
    for (const event of events.split(' ')) this.each((_, node) => bind(node, event, selector, handler));
    return this;
  }

  off(events) {
    for (const event of events.split(' ')) this.each((_, node) => unbind(node, event));
    return this;
  }

  trigger(name, given = []) {
    return this.each((_, node) => fire(node, name, [given].flat()));
  }
}

/** `click.widget:code` → the type and its namespaces. A namespace may hold colons, as Kommo's do. */
function parts(event) {
  const [type, ...spaces] = event.split('.');
  return { type, spaces };
}

function bind(node, event, selector, handler) {
  const { type, spaces } = parts(event);
  const native = (happened) => {
    const target = selector ? happened.target.closest?.(selector) : node;
    if (target && node.contains(target)) handler.call(target, happened, ...(happened.given ?? []));
  };
  node.addEventListener(type, native);
  registry.set(node, [...listenersOf(node), { type, spaces, selector, handler, native }]);
}

function unbind(node, event) {
  const { type, spaces } = parts(event);
  const gone = (one) => (!type || one.type === type) && spaces.every((space) => one.spaces.includes(space));
  for (const one of listenersOf(node).filter(gone)) node.removeEventListener(one.type, one.native);
  registry.set(
    node,
    listenersOf(node).filter((one) => !gone(one)),
  );
}

function fire(node, name, given) {
  const happened = new Event(name.split('.')[0], { bubbles: true, cancelable: true });
  happened.given = given;
  node.dispatchEvent(happened);
}
