import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { beforeEach, expect, test } from '@jest/globals';
import { bucketsOf } from '../../../dashboard/server/buckets.ts';
import { cloudWatchInsight } from '../../../dashboard/server/cloudwatch-insight.ts';
import type { Insight } from '../../../dashboard/server/insight.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;

/** There is no CloudWatch on this machine: answers as AWS documents them. */
let asked: (GetMetricDataCommand | DescribeAlarmsCommand)[];
let answer: (command: GetMetricDataCommand | DescribeAlarmsCommand) => object;
let insight: Insight;

beforeEach(() => {
  asked = [];
  answer = () => ({});
  const client = {
    async send(command: GetMetricDataCommand | DescribeAlarmsCommand) {
      asked.push(command);
      return answer(command);
    },
  } as unknown as CloudWatchClient;
  insight = cloudWatchInsight({
    client,
    stack: 'labelqueue-dev',
    queueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/labelqueue-dev-queue',
    deadLetterQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/labelqueue-dev-dlq',
  });
});

function queriesOf(command: (typeof asked)[number] | undefined): MetricDataQuery[] {
  if (!(command instanceof GetMetricDataCommand)) throw new Error('expected a question for metrics');
  return command.input.MetricDataQueries ?? [];
}

test('history takes one request for all series, at most once per minute', async () => {
  answer = () => ({
    MetricDataResults: [
      { Id: 'waiting', Timestamps: [new Date(NOW - 2 * MINUTE), new Date(NOW - MINUTE)], Values: [5, 7] },
      { Id: 'dead', Timestamps: [new Date(NOW - MINUTE)], Values: [1] },
      { Id: 'ageSeconds', Timestamps: [new Date(NOW - MINUTE)], Values: [90] },
    ],
  });
  const buckets = bucketsOf('24h', NOW);
  const samples = await insight.history?.(buckets);
  await insight.history?.({ ...buckets, now: NOW + 59_000 });
  expect(asked).toHaveLength(1);
  const nothing = { waiting: null, inFlight: null, delayed: null, dead: null, ageSeconds: null };
  expect(samples).toEqual([
    { ...nothing, at: NOW - 2 * MINUTE, waiting: 5 },
    { ...nothing, at: NOW - MINUTE, waiting: 7, dead: 1, ageSeconds: 90 },
  ]);
  const queries = queriesOf(asked[0]).map(({ Id, MetricStat }) => [
    Id,
    MetricStat?.Metric?.MetricName,
    MetricStat?.Metric?.Dimensions?.[0]?.Value,
    MetricStat?.Period,
  ]);
  expect(queries).toEqual([
    ['waiting', 'ApproximateNumberOfMessagesVisible', 'labelqueue-dev-queue', 300],
    ['inFlight', 'ApproximateNumberOfMessagesNotVisible', 'labelqueue-dev-queue', 300],
    ['delayed', 'ApproximateNumberOfMessagesDelayed', 'labelqueue-dev-queue', 300],
    ['ageSeconds', 'ApproximateAgeOfOldestMessage', 'labelqueue-dev-queue', 300],
    ['dead', 'ApproximateNumberOfMessagesVisible', 'labelqueue-dev-dlq', 300],
  ]);
  await insight.history?.({ ...buckets, now: NOW + MINUTE });
  expect(asked).toHaveLength(2);
});

test('facts are the age of the oldest message, the stages in percentiles, and the alarms with their entries', async () => {
  answer = (command) =>
    command instanceof DescribeAlarmsCommand
      ? {
          MetricAlarms: [
            {
              AlarmName: 'labelqueue-dev-Throttles',
              StateValue: 'ALARM',
              StateReason: 'Threshold Crossed',
              StateUpdatedTimestamp: new Date(NOW),
              AlarmDescription: 'Lambda throttles. What to do: docs/runbook.md#throttles',
            },
          ],
        }
      : {
          MetricDataResults: [
            { Id: 'ageSeconds', Values: [120, 60] },
            { Id: 'fetch_p50', Values: [300] },
            { Id: 'fetch_p95', Values: [900] },
            { Id: 'fetch_p99', Values: [2_000] },
            { Id: 'fetch_count', Values: [1_234] },
            { Id: 'decode_p50', Values: [] },
          ],
        };
  expect(await insight.facts(NOW)).toEqual({
    oldestMessageAgeSeconds: 120,
    workers: null,
    stages: [{ stage: 'fetch', p50Ms: 300, p95Ms: 900, p99Ms: 2_000, measuredImages: 1_234 }],
    alarms: [
      {
        name: 'labelqueue-dev-Throttles',
        state: 'ALARM',
        reason: 'Threshold Crossed',
        sinceAt: NOW,
        runbookEntry: 'throttles',
      },
    ],
  });
  await insight.facts(NOW + 59_000);
  expect(asked).toHaveLength(2);
  const ids = queriesOf(asked.find((command) => command instanceof GetMetricDataCommand)).map(({ Id }) => Id ?? '');
  for (const id of ids) expect(id).toMatch(/^[a-z][a-zA-Z0-9_]*$/);
});

test('without permission to read alarms, the rest is shown', async () => {
  answer = (command) => {
    if (command instanceof DescribeAlarmsCommand) throw Object.assign(new Error('no'), { name: 'AccessDenied' });
    return { MetricDataResults: [{ Id: 'ageSeconds', Values: [7] }] };
  };
  expect(await insight.facts(NOW)).toMatchObject({ oldestMessageAgeSeconds: 7, alarms: null });
});

test('a failure is not cached: the next reader asks CloudWatch again', async () => {
  answer = () => {
    throw new Error('throttled');
  };
  await expect(insight.facts(NOW)).rejects.toThrow('throttled');
  answer = () => ({ MetricDataResults: [] });
  expect(await insight.facts(NOW + 1)).toMatchObject({ oldestMessageAgeSeconds: null });
});

test('a request that CloudWatch does not answer is aborted', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_CLOUDWATCH: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  try {
    const { facts } = cloudWatchInsight({ queueUrl: 'https://sqs/1/queue', deadLetterQueueUrl: 'https://sqs/1/dlq' });
    await expect(facts(NOW)).rejects.toMatchObject({ name: 'TimeoutError' });
  } finally {
    process.env = before;
    silent.closeAllConnections();
    silent.close();
  }
}, 30_000);
