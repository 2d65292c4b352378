/** What the host page complained about; a strict test demands that it stays empty. */
export const complaints = [];

export function complain(sentence) {
  complaints.push(sentence);
  console.error(`host: ${sentence}`);
  return new Error(`host: ${sentence}`);
}

const QUIET = new Set(['then', 'toJSON', 'constructor', 'nodeType', 'window']);

/** `target` for a widget: what it lacks can't be read, and nothing can be written. */
export function strict(name, target) {
  return new Proxy(target, {
    get(object, key) {
      if (key in object || typeof key === 'symbol' || QUIET.has(key)) return Reflect.get(object, key);
      throw complain(`${name} has no ${key}`);
    },
    set(_, key) {
      throw complain(`a widget must not write ${name}.${String(key)}`);
    },
    deleteProperty(_, key) {
      throw complain(`a widget must not delete ${name}.${String(key)}`);
    },
  });
}
