// @ts-check

/**
 * Calls `onTick` when `node` becomes visible (`true`) and then every second; never in a collapsed panel or a hidden
 * tab.
 * @param {HTMLElement} node
 * @param {(returned: boolean) => void} onTick
 * @returns {() => void} ends it
 */
export function whileVisible(node, onTick) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let inSight = false;
  const update = () => {
    const visible = inSight && document.visibilityState === 'visible';
    if (visible === (timer !== undefined)) return;
    if (visible) {
      timer = setInterval(() => onTick(false), 1000);
      onTick(true);
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
