// @ts-check
import { plain } from './plain-text.js';
import { h } from './vendor/preact.js';

/** @import { Environment } from '../contract/session.ts' */

/**
 * Names the environment of the queue; production is red.
 *
 * @param {{ environment: Environment | undefined }} props
 */
export function EnvironmentBadge({ environment }) {
  if (environment === undefined) return h('span', { class: 'environment' }, '\u00a0');
  const { kind, name, region, endpoint } = environment;
  const where = [name, region ?? endpoint].filter(Boolean).join(' · ');
  return h(
    'span',
    { class: `environment ${kind}`, title: where },
    h('b', {}, kind),
    h('span', { class: 'where', dir: 'auto' }, plain(where)),
  );
}
