import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { LexV2Event, LexV2Result } from 'aws-lambda';
import { DEADLINE_RESERVE_MS, MAX_RECEIVE_COUNT } from '../../../shared/contract/limits.ts';
import { CODE_DIMENSION, METRIC_NAMESPACE, METRICS } from '../../../shared/contract/metric-names.ts';
import { cancelJob } from '../../../shared/jobs/job-store.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { messageRecord, sqsRecord } from '../../../testkit/sqs-record.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { lexEvent } from '../../functions/chat/lex-events.ts';
import { type Harness, startHarness } from '../../support/acknowledgement-harness.ts';
import { type AlarmProperties, metricsOf } from '../../support/cloudwatch/alarm.ts';
import { filledIn, shownMetrics, widgetsOf } from '../../support/cloudwatch/dashboard-body.ts';
import { type EmbeddedMetric, embeddedMetrics, jsonLines } from '../../support/embedded-metrics.ts';
import { startLocalApi } from '../../support/local-api.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { templateOf } from '../synthesized.ts';

const CHAT_HANDLER = join(import.meta.dirname, '../../../functions/chat/handler.ts');
/** As the template has it. */
const STACK = 'labelqueue-test';

const template = templateOf({ api: {}, chatbot: {} });
const widgets = widgetsOf(template);
const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => Properties as AlarmProperties,
);

const [harness] = await sharedByTests(startHarness());
/** What the worker wrote for images and messages that ended in every way there is. */
let emitted: EmbeddedMetric[];
/** What it wrote when there was nothing to classify. */
let emittedForNothing: EmbeddedMetric[];
let apiLog = '';
let chatLog = '';

beforeAll(async () => {
  [emitted, emittedForNothing] = await runWorkers(harness);
  apiLog = await runApi(harness);
  chatLog = await runChatbot(harness);
}, 120_000);

async function runWorkers({ aws, faults, pictures, startWorker, good, missing, busy }: Harness) {
  let log = '';
  // As Lambda has it; without, Powertools counts no cold start.
  const environment = { POWERTOOLS_SERVICE_NAME: STACK, AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' };
  const onLog = (text: string) => {
    log += text;
  };
  const worker = await startWorker({ environment, onLog });
  const written = async (isThere: () => boolean) => {
    await eventually('the metrics', isThere);
    const metrics = embeddedMetrics(log);
    log = '';
    return metrics;
  };
  log = '';
  await worker.invoke({ Records: [sqsRecord('{"cats": 3}')] });
  const forNothing = await written(() => log.includes(METRICS.messagesUnreadable));
  await cancelJob(aws.target, { job: 'cancelled' }, 'test');
  faults.inject({ put: 'results/job=unsettled/' }, 503);
  const poison = { job: 'job', attempt: 1, images: [{ id: 'poison', url: pictures.url('/ABORT') }] };
  await worker.invoke({
    Records: [
      messageRecord({ images: [good('a'), missing(), busy()] }),
      messageRecord({ job: 'cancelled', images: [good('b')] }),
      messageRecord({ job: 'unsettled', images: [good('c')] }),
      {
        ...messageRecord(poison),
        attributes: { ...sqsRecord('').attributes, ApproximateReceiveCount: `${MAX_RECEIVE_COUNT}` },
      },
    ],
  });
  const inEveryWay = await written(() => log.includes(METRICS.messagesUnsettled) && log.includes('worker_crashed'));
  await worker.shutDown();
  const hurried = await startWorker({ environment, onLog, timeoutSeconds: DEADLINE_RESERVE_MS / 1_000 });
  await hurried.invoke({ Records: [messageRecord({ images: [good('d')] })] });
  const inAHurry = await written(() => log.includes(METRICS.imagesNotReached));
  await hurried.shutDown();
  return [[...forNothing, ...inEveryWay, ...inAHurry], forNothing] as [EmbeddedMetric[], EmbeddedMetric[]];
}

async function runApi({ misbehaving }: Harness): Promise<string> {
  await using api = await startLocalApi({ ALLOWED_HOSTS: misbehaving.host });
  await fetch(`${api.address}/classify?url=${encodeURIComponent(misbehaving.url('/status/404'))}`);
  await fetch(`${api.address}/healthz`);
  await eventually('its lines', () => api.log().includes('request failed'));
  return api.log();
}

async function runChatbot({ misbehaving }: Harness): Promise<string> {
  let log = '';
  const chat = new ExecutionEnvironment<LexV2Event, LexV2Result>({
    handlerPath: CHAT_HANDLER,
    timeoutSeconds: 29,
    environment: { ALLOWED_HOSTS: misbehaving.host, AWS_REGION: 'us-east-1' },
    onLog(text) {
      log += text;
    },
  });
  await chat.invoke(lexEvent({ said: misbehaving.url('/status/404'), source: 'FulfillmentCodeHook' }));
  await eventually('its line', () => log.includes('turn answered'));
  await chat.shutDown();
  return log;
}

/** A metric without its values of dimensions that are made up by AWS: what has to be the same on both sides. */
function kindOf({ namespace, name, dimensions }: Pick<EmbeddedMetric, 'namespace' | 'name' | 'dimensions'>): string {
  const { service } = dimensions;
  return `${namespace} ${name} by ${Object.keys(dimensions).toSorted().join(', ')} of ${service}`;
}

const FAILED_BY_CODE = kindOf({
  namespace: METRIC_NAMESPACE,
  name: METRICS.imagesFailed,
  dimensions: { service: STACK, [CODE_DIMENSION]: 'any' },
});

/** The kind of metric that a search finds. */
function searched(expression: string): string[] {
  const [, namespace = '', names = '', name = '', service = ''] =
    /^SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" service="([\w-]+)"', 'Sum', 60\)$/.exec(expression) ?? [];
  const dimensions = Object.fromEntries(names.split(',').map((dimension) => [dimension, 'any']));
  return namespace === '' ? [] : [kindOf({ namespace, name, dimensions: { ...dimensions, service } })];
}

/** Of the worker's own namespace. */
function shownKinds(): Set<string> {
  const shown = widgets.flatMap(shownMetrics);
  const named = shown.flatMap(({ namespace, name, dimensions }) =>
    namespace === METRIC_NAMESPACE ? [kindOf({ namespace, name: name ?? '', dimensions })] : [],
  );
  return new Set([...named, ...shown.flatMap(({ options }) => searched(options.expression ?? ''))]);
}

function alarmKinds(): string[] {
  return alarms.flatMap((alarm) =>
    [...metricsOf(alarm).values()].flatMap(({ Namespace: namespace, MetricName: name, Dimensions = [] }) => {
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, filledIn(Value)]));
      return namespace === METRIC_NAMESPACE ? [kindOf({ namespace, name, dimensions })] : [];
    }),
  );
}

describe('what the worker writes', () => {
  test('is on the dashboard, each metric with its dimensions, and nothing else', () => {
    expect([...shownKinds()].toSorted()).toEqual([...new Set(emitted.map(kindOf))].toSorted());
    expect(shownKinds()).toContain(FAILED_BY_CODE);
  });

  test('is used by alarms', () => {
    const kinds = new Set(emitted.map(kindOf));
    expect(alarmKinds().length).toBeGreaterThanOrEqual(6);
    for (const kind of alarmKinds()) expect(kinds).toContain(kind);
  });

  test('counts failed images by code, and the codes add up to all of them', () => {
    const failed = emitted.filter(({ name }) => name === METRICS.imagesFailed);
    const sum = (metrics: readonly EmbeddedMetric[]) =>
      metrics.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
    const byCode = failed.filter(({ dimensions }) => CODE_DIMENSION in dimensions);
    expect(byCode.map(({ dimensions }) => dimensions[CODE_DIMENSION]).toSorted()).toEqual([
      'not_found',
      'worker_crashed',
    ]);
    expect(sum(byCode)).toBe(2);
    expect(sum(failed.filter((metric) => !byCode.includes(metric)))).toBe(2);
  });

  test('has both counts of the share of failures whenever it has one, including zeros', () => {
    const names = emittedForNothing.map(({ name }) => name);
    expect(names).toContain(METRICS.imagesClassified);
    expect(names).toContain(METRICS.imagesFailed);
    const wholeSets = emitted.filter(({ dimensions }) => !(CODE_DIMENSION in dimensions)).map(({ name }) => name);
    const times = (wanted: string) => wholeSets.filter((name) => name === wanted).length;
    expect(times(METRICS.imagesClassified)).toBe(times(METRICS.imagesFailed));
  });

  test('reports a message on its last delivery before processing it', () => {
    const names = emitted.map(({ name }) => name);
    const last = emitted.find(({ name }) => name === METRICS.messagesOnLastDelivery);
    expect(last?.values).toEqual([1]);
    expect(names.indexOf(METRICS.messagesOnLastDelivery)).toBeLessThan(names.indexOf(METRICS.messagesUnsettled));
  });
});

describe('what API and chatbot log', () => {
  test.each([
    ['request failed', () => apiLog],
    ['turn answered', () => chatLog],
  ])('has the fields that the dashboard queries in lines "%s"', (message, log) => {
    const line = jsonLines(log()).find((logged) => logged['message'] === message);
    const queries = widgets.flatMap(({ properties: { query = '' } }) =>
      query.includes(`"${message}"`) ? [query] : [],
    );
    expect(queries).toHaveLength(1);
    const [, fields = ''] = / by ([\w, ]+)$/m.exec(queries[0] ?? '') ?? [];
    expect(Object.keys(line ?? {})).toEqual(expect.arrayContaining(fields.split(', ')));
    expect(line?.['code']).toBe('not_found');
  });

  test('is all that they write: they have no metrics', () => {
    expect([...embeddedMetrics(apiLog), ...embeddedMetrics(chatLog)]).toEqual([]);
  });
});
