// @ts-check

/** Where the widget's own page in Kommo's settings is drawn. */
const PAGE_PAUSE = 150;
const PAGE_LOOKS = 10;

/**
 * Calls `found` with Kommo's container once it is there, and after a second and a half with one of our own: the callback
 * comes before the container on some pages, and some have none. The answer leaves the page: nothing is drawn on the one
 * that the person has gone to meanwhile.
 * @param {string} code the widget's
 * @param {(place: HTMLElement) => void} found
 */
export function onOwnPage(code, found) {
  /** @type {HTMLElement | undefined} */
  let ours;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;

  const look = (/** @type {number} */ looks) => {
    const place = document.getElementById(`work-area-${code}`) ?? document.getElementById('list_page_holder');
    if (place) found(place);
    else if (looks > 0) waiting = setTimeout(() => look(looks - 1), PAGE_PAUSE);
    else {
      ours = pageHolder(code);
      found(ours);
    }
  };
  look(PAGE_LOOKS);
  return () => {
    clearTimeout(waiting);
    ours?.remove();
  };
}

/** @param {string} code */
function pageHolder(code) {
  const place = document.createElement('div');
  place.id = `work-area-${code}`;
  place.dataset.dealpay = 'page';
  (document.querySelector('#page_holder, main') ?? document.body).append(place);
  return place;
}
