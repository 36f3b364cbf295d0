// @ts-check

/**
 * Announces text to screen readers. Figures that change by themselves are not announced.
 *
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById('announcements');
  if (region !== null && region.textContent !== text) region.textContent = text;
}
