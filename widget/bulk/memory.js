// @ts-check

/** The user's run that is not known to be over, as this browser keeps it: the window finds it when it is opened again. */

/** @typedef {{id: string, leads: number[], send: boolean}} Run */

/** @returns {Run | null} */
export function rememberedRun() {
  try {
    const run = JSON.parse(localStorage.getItem(runPlace()) ?? 'null');
    return typeof run?.id === 'string' && Array.isArray(run.leads) ? run : null;
  } catch {
    return null;
  }
}

/** @param {Run} run */
export function rememberRun(run) {
  try {
    localStorage.setItem(runPlace(), JSON.stringify(run));
  } catch {
    // A browser without storage: the run goes on all the same, only the window does not find it again.
  }
}

export function forgetRun() {
  try {
    localStorage.removeItem(runPlace());
  } catch {
    // Nothing was kept there.
  }
}

function runPlace() {
  return `dealpay-run-${APP.constant('account')?.id}-${APP.constant('user')?.id}`;
}
