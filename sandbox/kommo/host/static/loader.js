import { $ } from './app/dollar.js';
import { Modal } from './app/modal.js';
import { complain } from './app/strict.js';

/**
 * AMD as Kommo's loader behaves (docs/facts/kommo-widget.md 2.1): `optional!` swallows a script that does not come, `json!`
 * does not, only the host's own names can be required.
 */
const known = { jquery: $, 'lib/components/base/modal': Modal };
const modules = new Map();
let anonymous = null;

export function define(...given) {
  const factory = given.pop();
  const needs = Array.isArray(given.at(-1)) ? given.pop() : [];
  if (given.length > 0) throw complain('a widget must define an anonymous module');
  if (anonymous) throw complain('mismatched anonymous define');
  anonymous = { needs, factory };
}

/** @param {string[]} names */
export function require(names, took, refused = () => {}) {
  return Promise.all(names.map(resolve)).then((found) => took?.(...found), refused);
}

function resolve(name) {
  const [, plugin, rest] = /^(?:(\w+)!)?(.*)$/.exec(name);
  if (plugin === 'optional') return script(rest).catch(() => undefined);
  if (plugin === 'json') return fetched(rest).then((answer) => answer.json());
  if (plugin === 'text') return fetched(rest).then((answer) => answer.text());
  if (rest in known) return Promise.resolve(known[rest]);
  return Promise.reject(complain(`no module is called ${name}`));
}

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer;
}

/** One module a URL, for as long as the page lives: its variables outlast every widget object. */
function script(url) {
  if (!modules.has(url)) {
    const loading = load(url);
    loading.catch(() => modules.delete(url));
    modules.set(url, loading);
  }
  return modules.get(url);
}

function load(url) {
  return new Promise((resolve_, reject) => {
    const node = document.createElement('script');
    node.src = url;
    node.async = true;
    node.onerror = () => reject(new Error(`${url} did not come`));
    node.onload = () => {
      const made = anonymous;
      anonymous = null;
      if (!made) reject(new Error(`${url} defined nothing`));
      else require(made.needs, (...found) => resolve_(made.factory(...found)), reject);
    };
    document.head.append(node);
  });
}
