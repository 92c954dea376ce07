/** Begins to note what covers the picture of the one other person, each time that it changes. Runs in a page. */
export function noteCovers() {
  const { watched } = /** @type {any} */ (window);
  const tile = /** @type {HTMLElement} */ (document.querySelector('.tile'));
  /** @type {string[]} */
  const covers = [tile.dataset['cover'] ?? ''];
  watched.covers = covers;
  new MutationObserver(() => {
    const now = tile.dataset['cover'] ?? '';
    if (now !== covers.at(-1)) covers.push(now);
  }).observe(tile, { attributeFilter: ['data-cover'] });
}

/** @returns {string[]} */
export function covers() {
  return /** @type {any} */ (window).watched.covers;
}
