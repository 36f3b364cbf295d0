import { type IWidget, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { durations, faults, logTable } from '../monitoring/function-widgets.ts';
import { graph, heading, most, perMinute } from '../monitoring/graph.ts';
import type { JobEvents } from './job-events.ts';
import type { Sweep } from './sweep.ts';

/** Looks at ends of jobs, and how long they take. */
export function announceWidgets({ function: fn, deadLetterQueue, logGroup }: JobEvents): IWidget[][] {
  const unannounced = deadLetterQueue.metricApproximateNumberOfMessagesVisible(most('given up'));
  return [
    [heading('Ends of jobs', 'One check per job every 15 s while workers write; most find the job still running.')],
    [
      graph('Ends: checks per minute', {
        left: {
          label: 'per minute',
          metrics: [fn.metricInvocations(perMinute('looks')), ...faults(fn)],
        },
        right: { label: 'messages', metrics: [unannounced] },
      }),
      graph('Ends: ms per check', { left: { label: 'ms', metrics: durations(fn, ['p50', 'p95']) } }),
      logTable('Ends: jobs, by state', logGroup, [
        'filter message = "job ended"',
        'stats count(*) as jobs by end.state',
        'sort jobs desc',
      ]),
    ],
  ];
}

/** Runs of the sweep, and the images that it failed. */
export function sweepWidgets({ function: fn, logGroup }: Sweep): IWidget[][] {
  return [
    [heading('Sweep', 'Writes failures of messages that AWS moved to the dead-letter queue; each half hour.')],
    [
      graph('Sweep: runs per minute', {
        left: { label: 'per minute', metrics: [fn.metricInvocations(perMinute('runs')), ...faults(fn)] },
      }),
      graph('Sweep: ms per run', { left: { label: 'ms', metrics: durations(fn, [Stats.MAXIMUM]) } }),
      logTable('Sweep: images that it failed', logGroup, [
        'filter message = "swept" and (images > 0 or notLookedAt > 0)',
        'stats sum(images) as failed, max(letters) as mostLetters, max(notLookedAt) as mostNotLookedAt by bin(1h) as hour',
        'sort hour desc',
      ]),
    ],
  ];
}
