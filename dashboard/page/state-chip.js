// @ts-check
import { Icon } from './icons.js';
import { h } from './vendor/preact.js';

/** @import { JobState } from '../../shared/contract/job-state.ts' */
/** @import { JobRow } from '../contract/jobs.ts' */
/** @import { IconName } from './icons.js' */

/** @typedef {{ tone: string, icon: IconName, text: string }} Looks */

/** @type {Record<JobState, Looks>} */
const LOOKS = {
  enqueuing: { tone: 'calm', icon: 'play', text: 'enqueuing' },
  running: { tone: 'good', icon: 'play', text: 'running' },
  completed: { tone: 'calm', icon: 'check', text: 'completed' },
  'completed with failures': { tone: 'warn', icon: 'alert', text: 'completed, some failed' },
  cancelled: { tone: 'plain', icon: 'stop', text: 'cancelled' },
  'failed while enqueuing': { tone: 'bad', icon: 'cross', text: 'enqueue stopped' },
  unknown: { tone: 'plain', icon: 'question', text: 'size unknown' },
};

/** @type {Looks} */
const RETRYING = { tone: 'warn', icon: 'clock', text: 'waiting for retries' };

/**
 * A job's state as text, icon and colour.
 *
 * @param {{ of: JobRow }} props
 */
export function StateChip({ of }) {
  const { tone, icon, text } = of.state === 'running' && of.waitsForRetries ? RETRYING : LOOKS[of.state];
  return h('span', { class: `state ${tone}` }, h(Icon, { name: icon }), text);
}
