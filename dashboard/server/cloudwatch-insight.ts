import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricAlarm,
  type MetricDataQuery,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { METRIC_NAMESPACE, STAGE_METRICS } from '../../shared/contract/metric-names.ts';
import type { Alarm } from '../contract/health.ts';
import type { StageTime } from '../contract/queue.ts';
import type { Buckets } from './buckets.ts';
import { POLLING_TIMEOUTS } from './dashboard-target.ts';
import { displayText } from './display-text.ts';
import { type Facts, type Insight, NO_FACTS } from './insight.ts';
import type { MessageSample } from './message-samples.ts';

/** CloudWatch has one value per minute of SQS's metrics, and each request costs money. */
const ASK_EVERY_MS = 60_000;
const MINUTE_SECONDS = 60;
const STAGES_OVER_MS = 3_600_000;
const MAX_ALARMS = 100;

export type CloudWatchOptions = {
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** The stack whose alarms and worker metrics are read, if any. */
  stack?: string;
  client?: CloudWatchClient;
};

const PERCENTILES = ['p50', 'p95', 'p99'] as const;

const QUEUE_METRICS = {
  waiting: 'ApproximateNumberOfMessagesVisible',
  inFlight: 'ApproximateNumberOfMessagesNotVisible',
  delayed: 'ApproximateNumberOfMessagesDelayed',
  ageSeconds: 'ApproximateAgeOfOldestMessage',
} as const;

/** Facts and history from CloudWatch: one request per minute for the facts and one per chart. */
export function cloudWatchInsight(options: CloudWatchOptions): Insight {
  const client = options.client ?? new CloudWatchClient(POLLING_TIMEOUTS);
  const facts = cachedFor(ASK_EVERY_MS, (_key, now) => factsOf(client, options, now));
  const history = cachedFor(ASK_EVERY_MS, (_key, now, buckets: Buckets) =>
    historyOf(client, options, { now, buckets }),
  );
  return {
    facts: (now) => facts('', now, undefined),
    history: (buckets) => history(`${buckets.bucketMs}`, buckets.now, buckets),
  };
}

/** Caches the result of a request for a time, and shares concurrent requests; failures are not cached. */
function cachedFor<Of, Result>(
  milliseconds: number,
  ask: (key: string, now: number, of: Of) => Promise<Result>,
): (key: string, now: number, of: Of) => Promise<Result> {
  const cache = new Map<string, { at: number; answer: Promise<Result> }>();
  return (key, now, of) => {
    const there = cache.get(key);
    if (there !== undefined && now - there.at < milliseconds) return there.answer;
    const answer = ask(key, now, of);
    cache.set(key, { at: now, answer });
    answer.catch(() => cache.delete(key));
    return answer;
  };
}

async function factsOf(client: CloudWatchClient, { queueUrl, stack }: CloudWatchOptions, now: number): Promise<Facts> {
  const [metrics, alarms] = await Promise.all([
    client.send(
      new GetMetricDataCommand({
        StartTime: new Date(now - STAGES_OVER_MS),
        EndTime: new Date(now),
        MetricDataQueries: [
          queueQuery('ageSeconds', QUEUE_METRICS.ageSeconds, queueUrl, MINUTE_SECONDS),
          ...(stack === undefined ? [] : stageQueries(stack)),
        ],
      }),
    ),
    stack === undefined ? null : alarmsOf(client, stack),
  ]);
  const results = new Map((metrics.MetricDataResults ?? []).map((result) => [result.Id ?? '', result]));
  // The newest value comes first.
  const [age = null] = results.get('ageSeconds')?.Values ?? [];
  return { ...NO_FACTS, oldestMessageAgeSeconds: age, stages: stageTimes(results), alarms };
}

/** The worker's metrics have its service name, which is the stack's. */
function stageQueries(stack: string): MetricDataQuery[] {
  const query = (Id: string, MetricName: string, Stat: string) => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: METRIC_NAMESPACE,
        MetricName,
        Dimensions: [{ Name: 'service', Value: stack }],
      },
      Period: STAGES_OVER_MS / 1_000,
      Stat,
    },
  });
  return STAGE_METRICS.flatMap(([stage, metric]) => [
    ...PERCENTILES.map((percentile) => query(`${stage}_${percentile}`, metric, percentile)),
    query(`${stage}_count`, metric, 'SampleCount'),
  ]);
}

function stageTimes(results: ReadonlyMap<string, MetricDataResult>): StageTime[] {
  const value = (id: string) => results.get(id)?.Values?.[0];
  return STAGE_METRICS.flatMap(([stage]) => {
    const [p50Ms, p95Ms, p99Ms] = PERCENTILES.map((percentile) => value(`${stage}_${percentile}`));
    if (p50Ms === undefined || p95Ms === undefined || p99Ms === undefined) return [];
    return [{ stage, p50Ms, p95Ms, p99Ms, measuredImages: value(`${stage}_count`) ?? null }];
  });
}

function queueQuery(Id: string, MetricName: string, queueUrl: string, Period: number): MetricDataQuery {
  const QueueName = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const Metric = { Namespace: 'AWS/SQS', MetricName, Dimensions: [{ Name: 'QueueName', Value: QueueName }] };
  return { Id, MetricStat: { Metric, Period, Stat: 'Maximum' } };
}

/** The alarms of the stack: their names begin with the stack's name. */
async function alarmsOf(client: CloudWatchClient, stack: string): Promise<Alarm[] | null> {
  try {
    const command = new DescribeAlarmsCommand({ AlarmNamePrefix: `${stack}-`, MaxRecords: MAX_ALARMS });
    const { MetricAlarms = [] } = await client.send(command);
    return MetricAlarms.map(toAlarm);
  } catch (error) {
    // Permission to read the queue does not imply permission to read alarms.
    if ((error as Error).name.startsWith('AccessDenied')) return null;
    throw error;
  }
}

function toAlarm({
  AlarmName = '',
  StateValue,
  StateReason = '',
  StateUpdatedTimestamp,
  ...alarm
}: MetricAlarm): Alarm {
  const [, runbookEntry] = /docs\/runbook\.md#([a-z-]+)/.exec(alarm.AlarmDescription ?? '') ?? [];
  return {
    name: displayText(AlarmName),
    state: StateValue === 'OK' || StateValue === 'ALARM' ? StateValue : 'INSUFFICIENT_DATA',
    reason: displayText(StateReason),
    sinceAt: StateUpdatedTimestamp?.getTime() ?? null,
    runbookEntry: runbookEntry ?? null,
  };
}

async function historyOf(
  client: CloudWatchClient,
  { queueUrl, deadLetterQueueUrl }: CloudWatchOptions,
  { now, buckets }: { now: number; buckets: Buckets },
): Promise<MessageSample[]> {
  // SQS's metrics have a value per minute; in a chart with finer buckets, each value is in its bucket.
  const period = Math.max(MINUTE_SECONDS, buckets.bucketMs / 1_000);
  const queries = Object.entries(QUEUE_METRICS).map(([id, metric]) => queueQuery(id, metric, queueUrl, period));
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(buckets.fromAt),
      EndTime: new Date(now),
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [...queries, queueQuery('dead', QUEUE_METRICS.waiting, deadLetterQueueUrl, period)],
    }),
  );
  return samplesIn(MetricDataResults);
}

function samplesIn(results: readonly MetricDataResult[]): MessageSample[] {
  const samples = new Map<number, MessageSample>();
  for (const { Id = '', Timestamps = [], Values = [] } of results) {
    for (const [index, timestamp] of Timestamps.entries()) {
      const at = timestamp.getTime();
      const nothing = { at, waiting: null, inFlight: null, delayed: null, dead: null, ageSeconds: null };
      samples.set(at, { ...(samples.get(at) ?? nothing), [Id]: Values[index] ?? null });
    }
  }
  return [...samples.values()].sort((one, other) => one.at - other.at);
}
