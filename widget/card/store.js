// @ts-check

/**
 * Returns a store of one value that is replaced, never changed in place; its listeners get each new value.
 * @template T
 * @param {T} initial
 */
export function createStore(initial) {
  let value = initial;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    /** @param {Partial<T>} changes */
    set(changes) {
      value = { ...value, ...changes };
      for (const listener of listeners) listener(value);
    },
    /**
     * Calls `listener` now and after every change.
     * @param {(value: T) => void} listener
     * @returns {() => void} ends it
     */
    subscribe(listener) {
      listeners.add(listener);
      listener(value);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
