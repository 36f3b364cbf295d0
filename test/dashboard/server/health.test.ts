import { describe, expect, test } from '@jest/globals';
import type { Snapshot } from '../../../dashboard/contract/events.ts';
import type { JobRow } from '../../../dashboard/contract/jobs.ts';
import type { QueueFigures } from '../../../dashboard/contract/queue.ts';
import { type Observed, problemsOf } from '../../../dashboard/server/health.ts';
import { runbookEntry } from '../../../dashboard/server/runbook.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;
const CONNECTED = { state: 'connected', sinceAt: NOW } as const;
const AWAY = { state: 'away', sinceAt: NOW - MINUTE, lastAnswerAt: null, reason: 'ECONNREFUSED 127.0.0.1:1' } as const;

const QUEUE: QueueFigures = {
  askedAt: NOW,
  waitingMessages: 0,
  inFlightMessages: 0,
  delayedMessages: 0,
  deadMessages: 0,
  oldestMessageAgeSeconds: null,
  remainingImages: 0,
  arrivedImagesPerSecond: 0,
  completedImagesPerSecond: 0,
  timeToDrainSeconds: 0,
  busyWorkers: 0,
  workers: 2,
  costSoFarUsd: 0,
  costPerHourUsd: 0,
};

const STOPPED = {
  job: 'cats',
  state: 'failed while enqueuing',
  startedAt: NOW - MINUTE,
  enqueuedImages: 100,
  sourceImages: 250,
} as JobRow;

type Changes = Partial<Omit<Observed, 'snapshot'>> & {
  queue?: Partial<QueueFigures>;
  snapshot?: Partial<Snapshot>;
};

function observed({ queue, snapshot, ...others }: Changes): Observed {
  return {
    snapshot: {
      at: NOW,
      environment: { name: 'this machine', kind: 'local', region: null, endpoint: null },
      allowsChanges: false,
      connections: { sqs: CONNECTED, s3: CONNECTED },
      jobs: [],
      moreJobs: 0,
      stages: [],
      alarms: null,
      ...snapshot,
      queue: { ...QUEUE, ...queue },
    },
    untakenSince: undefined,
    stillSince: undefined,
    recentlyClassified: 0,
    recentlyFailed: 0,
    unreadable: [],
    ...others,
  };
}

const kindsOf = (changes: Changes) => problemsOf(observed(changes)).map(({ kind }) => kind);

describe('reports nothing', () => {
  test.each<[string, Changes]>([
    ['of an empty queue', {}],
    ['of a queue that is worked on', { queue: { waitingMessages: 500, inFlightMessages: 20 } }],
    ['of messages that have just come', { queue: { waitingMessages: 5 }, untakenSince: NOW - 1_000 }],
    ['of a long invocation', { queue: { inFlightMessages: 5 }, stillSince: NOW - 2 * MINUTE }],
    ['of some failures among many images', { recentlyClassified: 900, recentlyFailed: 100 }],
    ['of the failures of a handful of images', { recentlyClassified: 1, recentlyFailed: 9 }],
    ['of a job that stopped days ago', { snapshot: { jobs: [{ ...STOPPED, startedAt: NOW - 3_000 * MINUTE }] } }],
    [
      'of alarms that are quiet',
      { snapshot: { alarms: [{ name: 'a', state: 'OK', reason: '', sinceAt: NOW, runbookEntry: null }] } },
    ],
  ])('%s', (_what, changes) => {
    expect(kindsOf(changes)).toEqual([]);
  });
});

test.each<[string, Changes]>([
  ['no-workers', { queue: { waitingMessages: 5 }, untakenSince: NOW - MINUTE, stillSince: NOW - 10 * MINUTE }],
  ['no-progress', { queue: { waitingMessages: 5, inFlightMessages: 5 }, stillSince: NOW - 10 * MINUTE }],
  ['dead-letters', { queue: { deadMessages: 1 } }],
  ['oldest-message', { queue: { waitingMessages: 5, oldestMessageAgeSeconds: 3_700 } }],
  ['failure-share', { recentlyClassified: 70, recentlyFailed: 30 }],
  ['enqueue-stopped', { snapshot: { jobs: [STOPPED] } }],
  ['job-unreadable', { unreadable: [{ job: 'cats', reason: 'expected the description of a job' }] }],
  ['sqs-away', { snapshot: { connections: { sqs: AWAY, s3: CONNECTED } } }],
  ['s3-away', { snapshot: { connections: { sqs: CONNECTED, s3: AWAY } } }],
  [
    'alarm',
    {
      snapshot: {
        alarms: [{ name: 'dev-Throttles', state: 'ALARM', reason: '3 > 0', sinceAt: NOW, runbookEntry: 'throttles' }],
      },
    },
  ],
])('%s is reported, with its entry of the runbook if there is one', async (kind, changes) => {
  const problems = problemsOf(observed(changes));
  expect(problems.map((problem) => problem.kind)).toEqual([kind]);
  const [{ title = '', detail = '', runbookEntry: entry = null } = {}] = problems;
  expect(title).toMatch(/./);
  expect(detail).toMatch(/./);
  if (entry !== null) expect((await runbookEntry(entry))?.markdown).toMatch(/\w/);
});

test('while SQS does not answer, its last figures are not evaluated', () => {
  const connections = { sqs: AWAY, s3: CONNECTED };
  expect(kindsOf({ queue: { deadMessages: 7 }, untakenSince: 0, snapshot: { connections } })).toEqual(['sqs-away']);
});

test('what is most severe comes first', () => {
  expect(kindsOf({ queue: { waitingMessages: 5, deadMessages: 1 }, untakenSince: NOW - MINUTE })).toEqual([
    'no-workers',
    'dead-letters',
  ]);
});
