// @ts-check
import { Icon } from './icons.js';
import { plain } from './plain-text.js';
import { linkTo, linkToJob } from './router.js';
import { sinceText } from './times.js';
import { h } from './vendor/preact.js';

/** @import { Connection, Snapshot } from '../contract/events.ts' */
/** @import { Problem } from '../contract/health.ts' */
/** @import { EpochMs } from '../contract/units.ts' */
/** @import { View } from './router.js' */
/** @import { Link } from './shell.js' */

/** The banner reports unreachable SQS or S3, with details. */
const SAID_BY_BANNER = new Set(['sqs-away', 's3-away']);

/**
 * What does not answer, since when, and that the page reconnects.
 *
 * @param {{ link: Link, snapshot: Snapshot | undefined, now: EpochMs, refusal: string | undefined }} props
 */
export function Banner({ link, snapshot, now, refusal }) {
  if (refusal !== undefined) return h(Calm, { title: 'This page cannot show the queue.', text: refusal });
  if (link.state === 'lost') {
    return h(Calm, {
      title: `The dashboard's server does not answer ${sinceText(link.sinceAt, Date.now())}.`,
      text: snapshot
        ? 'The figures are from before. The page reconnects automatically.'
        : 'Is it still running? The page reconnects automatically.',
    });
  }
  if (snapshot === undefined) return null;
  const { sqs, s3 } = snapshot.connections;
  return [awayNotice('SQS', sqs, now), awayNotice('S3', s3, now)];
}

/**
 * @param {'SQS' | 'S3'} name
 * @param {Connection} connection
 * @param {EpochMs} now
 */
function awayNotice(name, connection, now) {
  if (connection.state !== 'away') return null;
  const what = name === 'SQS' ? 'Message figures' : 'Image and job figures';
  return h(Calm, {
    key: name,
    title: `${name} does not answer ${sinceText(connection.sinceAt, now)}.`,
    text: `${what} are from before. The page continues automatically as soon as ${name} answers.`,
    reason: connection.reason,
  });
}

/** @param {{ title: string, text: string, reason?: string }} props */
function Calm({ title, text, reason }) {
  return h(
    'div',
    { class: 'notice calm-notice' },
    h(Icon, { name: 'clock' }),
    h('p', {}, h('b', {}, title), ' ', text, reason && h('span', { class: 'faint reason' }, ' ', plain(reason))),
  );
}

/**
 * Warnings, if any.
 *
 * @param {{ problems: readonly Problem[], now: EpochMs, view: View }} props
 */
export function Problems({ problems, now, view }) {
  const listed = problems.filter(({ kind }) => isNews(kind, view));
  if (listed.length === 0) return null;
  return h(
    'ul',
    { class: 'problems', 'aria-label': 'Warnings' },
    listed.map((problem) => h(ProblemItem, { key: `${problem.kind} ${problem.job}`, problem, now })),
  );
}

/**
 * Whether the view does not show it anyway.
 *
 * @param {Problem['kind']} kind
 * @param {View} view
 */
function isNews(kind, view) {
  if (view === 'health') return true;
  return !SAID_BY_BANNER.has(kind) && !(kind === 'dead-letters' && view === 'dead-letters');
}

/** @param {{ problem: Problem, now: EpochMs }} props */
function ProblemItem({ problem: { severity, kind, title, detail, sinceAt, runbookEntry, job }, now }) {
  return h(
    'li',
    { class: `notice ${severity}` },
    h(Icon, { name: 'alert' }),
    h(
      'p',
      {},
      h('span', { class: 'visually-hidden' }, `${severity}: `),
      h('b', {}, plain(title).replace(/[.!?]?$/, '.')),
      ' ',
      plain(detail),
      sinceAt !== null && h('span', { class: 'faint' }, ` ${sinceText(sinceAt, now)}`),
    ),
    h(
      'span',
      { class: 'notice-links' },
      kind === 'dead-letters' && h('a', { href: linkTo('dead-letters') }, 'View them'),
      job !== null && h('a', { href: linkToJob(job) }, 'View the job'),
      runbookEntry !== null && h('a', { href: linkTo('health', { entry: runbookEntry }) }, 'What to do'),
    ),
  );
}
