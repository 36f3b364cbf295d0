// @ts-check
import { EnvironmentBadge } from './environment-badge.js';
import { Icon } from './icons.js';
import { count } from './numbers.js';
import { linkTo } from './router.js';
import { h } from './vendor/preact.js';

/** @import { Snapshot } from '../contract/events.ts' */
/** @import { Session } from '../contract/session.ts' */
/** @import { View } from './router.js' */

/** @typedef {{ state: 'connecting' | 'live' | 'lost', sinceAt: number }} Link the connection between page and server */

/** @type {readonly { view: View, text: string }[]} */
const VIEWS = [
  { view: 'overview', text: 'Overview' },
  { view: 'jobs', text: 'Jobs' },
  { view: 'dead-letters', text: 'Dead letters' },
  { view: 'health', text: 'Health' },
];

/**
 * @param {{ view: View, snapshot?: Snapshot, session?: Session, link: Link, onHelp: () => void }} props
 */
export function TopBar({ view, snapshot, session, link, onHelp }) {
  const environment = snapshot?.environment ?? session?.environment;
  return h(
    'header',
    { class: `top ${environment?.kind ?? ''}` },
    h(
      'button',
      { type: 'button', class: 'skip', onClick: () => document.getElementById('main')?.focus() },
      'Skip to content',
    ),
    h(
      'div',
      { class: 'top-row' },
      h(
        'a',
        { class: 'brand', href: linkTo('overview') },
        h('img', { src: '/assets/icon.svg', alt: '', width: 24, height: 24 }),
        h('span', {}, 'labelqueue'),
      ),
      h(EnvironmentBadge, { environment }),
      h(Navigation, { view, snapshot }),
      h(LinkState, { link }),
      h(
        'button',
        { type: 'button', class: 'quiet help', title: 'Keys (?)', 'aria-label': 'Keys', onClick: onHelp },
        h('kbd', {}, '?'),
      ),
    ),
  );
}

/** @param {{ view: View, snapshot: Snapshot | undefined }} props */
function Navigation({ view, snapshot }) {
  return h(
    'nav',
    { 'aria-label': 'Views' },
    VIEWS.map((one) =>
      h(
        'a',
        {
          key: one.view,
          href: linkTo(one.view),
          'aria-current': one.view === view || (one.view === 'jobs' && view === 'job') ? 'page' : undefined,
        },
        one.text,
        snapshot !== undefined && h(NavigationCount, { view: one.view, snapshot }),
      ),
    ),
  );
}

/** @param {{ view: View, snapshot: Snapshot }} props */
function NavigationCount({ view, snapshot: { jobs, queue, problems } }) {
  if (view === 'jobs') {
    const running = jobs.filter(({ hasEnded }) => !hasEnded).length;
    return running === 0 ? null : h('span', { class: 'tally', title: 'active' }, count(running));
  }
  if (view === 'dead-letters') {
    const dead = queue.deadMessages ?? 0;
    return dead === 0 ? null : h('span', { class: 'tally bad', title: 'messages' }, count(dead));
  }
  if (view !== 'health' || problems.length === 0) return null;
  return h('span', { class: 'tally warn', title: 'warnings' }, count(problems.length));
}

/** @param {{ link: Link }} props */
function LinkState({ link: { state } }) {
  const text = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' }[state];
  return h('span', { class: `link ${state}` }, h('span', { class: 'dot', 'aria-hidden': 'true' }), text);
}

/** @param {{ session: Session | undefined }} props */
export function Footer({ session }) {
  return h(
    'footer',
    {},
    h('span', {}, 'labelqueue', session && ` ${session.version}`),
    session?.allowsChanges === false &&
      h(
        'span',
        { class: 'read-only' },
        h(Icon, { name: 'lock' }),
        'Read-only. To cancel, redrive and delete from here, start it with ',
        h('code', {}, '--allow-changes'),
        '.',
      ),
    h('span', {}, 'Times are in the time zone of this browser; costs are at list prices.'),
  );
}
