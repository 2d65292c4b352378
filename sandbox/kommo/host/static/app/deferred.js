/**
 * jQuery 2.1.3's deferreds: listeners run at once and in order, an exception in one reaches whoever resolves, and
 * there is no `catch`.
 */
export function Deferred() {
  let state = 'pending';
  let values = [];
  const listeners = { resolved: [], rejected: [] };

  const settle =
    (outcome) =>
    (...given) => {
      if (state !== 'pending') return deferred;
      state = outcome;
      values = given;
      for (const listener of listeners[outcome].splice(0)) listener(...values);
      return deferred;
    };

  const add = (outcome, listener) => {
    if (state === outcome) listener(...values);
    else if (state === 'pending') listeners[outcome].push(listener);
  };

  const promise = {
    state: () => state,
    done(listener) {
      add('resolved', listener);
      return promise;
    },
    fail(listener) {
      add('rejected', listener);
      return promise;
    },
    always(listener) {
      return promise.done(listener).fail(listener);
    },
    // biome-ignore lint/suspicious/noThenProperty: a deferred is a thenable on purpose
    then(took, refused) {
      const next = Deferred();
      promise.done((...given) => pass(next, 'resolve', took, given));
      promise.fail((...given) => pass(next, 'reject', refused, given));
      return next.promise();
    },
    promise: () => promise,
  };
  const deferred = { ...promise, resolve: settle('resolved'), reject: settle('rejected') };
  return deferred;
}

/** As jQuery 2 does: a listener's plain result resolves even after a failure only if it is itself a deferred. */
function pass(next, outcome, listener, given) {
  if (typeof listener !== 'function') {
    next[outcome](...given);
    return;
  }
  const result = listener(...given);
  if (result && typeof result.then === 'function') result.then(next.resolve, next.reject);
  else next[outcome](result);
}
