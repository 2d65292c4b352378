// @ts-check

/**
 * Calls `look` at once and then every second while `node` can be seen: not in a collapsed panel, not in a hidden tab.
 * @param {HTMLElement} node
 * @param {() => void} look
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
      timer = setInterval(look, 1000);
      look();
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
