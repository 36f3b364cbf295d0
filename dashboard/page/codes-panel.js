// @ts-check
import { count, counted, percent } from './numbers.js';
import { Bars, Empty, Panel, Waiting } from './panels.js';
import { linkTo } from './router.js';
import { h } from './vendor/preact.js';

/** @import { ComponentChildren } from './vendor/preact.js' */

/** Codes beyond these are shown on request. */
const CODES_SHOWN = 12;
/** The sum of the codes that the server does not list. */
const OTHERS = 'other';
const BARS = { tone: 'bad', nameOf: 'code', unit: 'images' };

/**
 * Failed images by error code, with links to their dead letters.
 *
 * @typedef {object} Props
 * @property {readonly { code: string, images: number }[] | undefined} codes the most frequent first
 * @property {string} none what is shown when no image failed
 * @property {string} [job] whose dead letters the links show; all by default
 * @property {string} [period] in which the images failed
 * @property {ComponentChildren} [aside]
 */

/** @param {Props} props */
export function CodesPanel({ codes, none, job, period, aside }) {
  const unit = `images, share of failures${period === undefined ? '' : `, ${period}`}`;
  return h(
    Panel,
    { title: 'Failures by code', unit, wide: 'five', aside },
    codes === undefined && h(Waiting, {}),
    codes?.length === 0 && h(Empty, { title: none }),
    codes !== undefined && codes.length > 0 && h(CodeBars, { codes, job }),
  );
}

/** @param {{ codes: readonly { code: string, images: number }[], job: string | undefined }} props */
function CodeBars({ codes, job }) {
  const all = codes.reduce((sum, { images }) => sum + images, 0);
  const bars = codes.map(({ code, images }) => ({
    name: code,
    value: images,
    text: `${count(images)} · ${percent(images / all)}`,
    ...(code !== OTHERS && { href: linkTo('dead-letters', { ...(job !== undefined && { job }), code }) }),
  }));
  const most = codes[0]?.images ?? 0;
  const hidden = bars.slice(CODES_SHOWN);
  return [
    h(Bars, { bars: bars.slice(0, CODES_SHOWN), ...BARS, most }),
    hidden.length > 0 &&
      h(
        'details',
        { class: 'more-bars' },
        h('summary', {}, `${counted(hidden.length, 'code')} more`),
        h(Bars, { bars: hidden, ...BARS, most }),
      ),
  ];
}
