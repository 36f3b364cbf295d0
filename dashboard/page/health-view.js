// @ts-check
import { getJson, RequestFailure } from './api.js';
import { Icon } from './icons.js';
import { Markdown } from './markdown.js';
import { Empty, Panel, Waiting } from './panels.js';
import { plain } from './plain-text.js';
import { linkTo } from './router.js';
import { sinceText } from './times.js';
import { Component, h } from './vendor/preact.js';

/** @import { Connection, Snapshot } from '../contract/events.ts' */
/** @import { Alarm, RunbookEntry } from '../contract/health.ts' */
/** @import { ViewProps } from './overview.js' */
/** @import { IconName } from './icons.js' */

/** @param {ViewProps} shown */
export function HealthView({ route: { query }, snapshot, now }) {
  const entry = query['entry'] ?? '';
  return [
    h('div', { class: 'view-head' }, h('h1', { tabIndex: -1 }, 'Health')),
    snapshot !== undefined && snapshot.problems.length === 0 && h(AllWell, {}),
    h(
      'div',
      { class: 'grid' },
      entry !== '' && h(Runbook, { key: entry, entry }),
      h(ConnectionsPanel, { snapshot, now }),
      h(AlarmsPanel, { snapshot, now, wide: entry === '' ? 'seven' : 'five' }),
    ),
  ];
}

function AllWell() {
  return h(
    'div',
    { class: 'notice well' },
    h(Icon, { name: 'check' }),
    h('p', {}, h('b', {}, 'Nothing is wrong.'), ' Warnings appear here and on each view.'),
  );
}

/** @param {{ snapshot: Snapshot | undefined, now: number }} props */
function ConnectionsPanel({ snapshot, now }) {
  return h(
    Panel,
    { title: 'Services', unit: 'whether they answer', wide: 'five' },
    snapshot === undefined
      ? h(Waiting, {})
      : h(
          'dl',
          { class: 'pairs' },
          h('dt', {}, 'SQS'),
          h('dd', {}, h(ConnectionText, { connection: snapshot.connections.sqs, now })),
          h('dt', {}, 'S3'),
          h('dd', {}, h(ConnectionText, { connection: snapshot.connections.s3, now })),
          h('dt', {}, 'Endpoint'),
          h('dd', {}, snapshot.environment.endpoint ?? 'AWS'),
          snapshot.environment.region !== null && [h('dt', {}, 'Region'), h('dd', {}, snapshot.environment.region)],
        ),
  );
}

/** @param {{ connection: Connection, now: number }} props */
function ConnectionText({ connection, now }) {
  if (connection.state === 'connecting')
    return h('span', { class: 'state plain' }, h(Icon, { name: 'clock' }), 'connecting');
  const { state, sinceAt } = connection;
  if (state === 'connected')
    return h('span', { class: 'state calm' }, h(Icon, { name: 'check' }), `answers ${sinceText(sinceAt, now)}`);
  return [
    h('span', { class: 'state warn' }, h(Icon, { name: 'alert' }), `no answer ${sinceText(sinceAt, now)}`),
    h('span', { class: 'faint reason' }, ' ', plain(connection.reason)),
  ];
}

/** @param {{ snapshot: Snapshot | undefined, now: number, wide: string }} props */
function AlarmsPanel({ snapshot, now, wide }) {
  const alarms = snapshot?.alarms;
  return h(
    Panel,
    { title: 'Alarms', unit: 'from CloudWatch', wide },
    snapshot === undefined && h(Waiting, {}),
    alarms === null &&
      h(
        Empty,
        { title: 'There are none.' },
        h('p', {}, 'Only a stack on AWS has alarms. On this machine, the warnings of this page replace them.'),
      ),
    alarms && h(AlarmsTable, { alarms, now }),
  );
}

/** @param {{ alarms: readonly Alarm[], now: number }} props */
function AlarmsTable({ alarms, now }) {
  return h(
    'table',
    { class: 'alarms' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['alarm', 'state', 'reason', 'runbook'].map((name) => h('th', { key: name, scope: 'col' }, name)),
      ),
    ),
    h(
      'tbody',
      {},
      alarms.map((alarm) =>
        h(
          'tr',
          { key: alarm.name },
          h('th', { scope: 'row' }, plain(alarm.name)),
          h('td', {}, h(AlarmState, { alarm })),
          h(
            'td',
            { class: 'faint' },
            plain(alarm.reason),
            alarm.sinceAt !== null && ` ${sinceText(alarm.sinceAt, now)}`,
          ),
          h(
            'td',
            {},
            alarm.runbookEntry !== null &&
              h('a', { href: linkTo('health', { entry: alarm.runbookEntry }) }, 'What to do'),
          ),
        ),
      ),
    ),
  );
}

/** @type {Record<Alarm['state'], { tone: string, icon: IconName, text: string }>} */
const ALARM_LOOKS = {
  OK: { tone: 'calm', icon: 'check', text: 'OK' },
  ALARM: { tone: 'bad', icon: 'alert', text: 'in alarm' },
  INSUFFICIENT_DATA: { tone: 'plain', icon: 'question', text: 'no data' },
};

/** @param {{ alarm: Alarm }} props */
function AlarmState({ alarm: { state } }) {
  const { tone, icon, text } = ALARM_LOOKS[state];
  return h('span', { class: `state ${tone}` }, h(Icon, { name: icon }), text);
}

/**
 * An entry of the runbook: what an alarm or a warning means, how to diagnose it, what to do.
 *
 * @augments {Component<{ entry: string }, { answer?: RunbookEntry, problem?: string }>}
 */
class Runbook extends Component {
  /** @param {{ entry: string }} props */
  constructor(props) {
    super(props);
    /** @type {{ answer?: RunbookEntry, problem?: string }} */
    this.state = {};
  }

  /** @override */
  async componentDidMount() {
    try {
      /** @type {RunbookEntry} */
      const answer = await getJson(`/api/runbook/${encodeURIComponent(this.props.entry)}`);
      this.setState({ answer });
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      this.setState({ problem: error.message });
    }
  }

  /** @override */
  render() {
    const { answer, problem } = this.state;
    return h(
      Panel,
      {
        title: answer?.title ?? 'Runbook',
        unit: answer ? 'runbook' : '',
        wide: 'seven entry',
        aside: h('a', { href: linkTo('health') }, 'Close'),
      },
      problem !== undefined && h('p', {}, plain(problem)),
      answer === undefined && problem === undefined && h(Waiting, {}),
      answer && h(Markdown, { text: answer.markdown }),
    );
  }
}
