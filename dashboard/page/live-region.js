// @ts-check

/**
 * Says something to those who listen to the page. Figures that change by themselves are not said.
 *
 * @param {string} text
 */
export function announce(text) {
  const region = document.getElementById('announcements');
  if (region !== null && region.textContent !== text) region.textContent = text;
}
