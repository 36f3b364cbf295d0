// @ts-check
import { count, percent } from './numbers.js';
import { h } from './vendor/preact.js';

/** @import { JobRow } from '../contract/jobs.ts' */

const WIDTH = 1_000;

/**
 * How many of a job's images are classified, failed and remaining. Without a number of all images there is no bar.
 *
 * @param {{ of: JobRow }} props
 */
export function ProgressBar({ of: { job, classifiedImages, failedImages, enqueuedImages, sourceImages } }) {
  const all = Math.max(enqueuedImages ?? 0, sourceImages ?? 0);
  const settled = classifiedImages + failedImages;
  if (all === 0) return h('span', { class: 'faint' }, count(settled), ' images so far');
  const share = Math.min(1, settled / all);
  const classified = Math.round(WIDTH * Math.min(1, classifiedImages / all));
  // Even one failure of a million is visible.
  const failed = failedImages === 0 ? 0 : Math.max(8, Math.round((WIDTH * failedImages) / all));
  const bar = h(
    'svg',
    { viewBox: `0 0 ${WIDTH} 8`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    h('rect', { class: 'done', width: Math.max(0, Math.min(classified, WIDTH - failed)), height: 8 }),
    h('rect', { class: 'failed', x: Math.max(0, Math.min(classified, WIDTH - failed)), width: failed, height: 8 }),
  );
  return h(
    'div',
    {
      class: 'progress',
      role: 'progressbar',
      'aria-label': `${job}: images with an outcome`,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.floor(share * 100),
      'aria-valuetext': `${count(settled)} of ${count(all)} images, ${count(failedImages)} of them failed`,
    },
    bar,
    h('span', { class: 'share' }, shareText(share)),
  );
}

/** @param {number} share below 1 never shows as 100 % */
function shareText(share) {
  return share < 1 && share > 0.999 ? '>99.9 %' : percent(share).replace('.0 %', ' %');
}
