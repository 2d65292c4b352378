// @ts-check

/**
 * Calls `look` when `node` comes to be seen (`true`) and then every second: not in a collapsed panel, not in a hidden tab.
 * @param {HTMLElement} node
 * @param {(back: boolean) => void} look
 * @returns {() => void} ends it
 */
export function whileSeen(node, look) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let inSight = false;
  const update = () => {
    const seen = inSight && document.visibilityState === 'visible';
    if (seen === (timer !== undefined)) return;
    if (seen) {
      timer = setInterval(() => look(false), 1000);
      look(true);
    } else {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const observer = new IntersectionObserver((entries) => {
    inSight = entries[entries.length - 1].isIntersecting;
    update();
  });
  observer.observe(node);
  document.addEventListener('visibilitychange', update);
  return () => {
    observer.disconnect();
    document.removeEventListener('visibilitychange', update);
    clearInterval(timer);
  };
}
