import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SWEEP_INTERVAL_MINUTES } from '../../../shared/contract/limits.ts';
import { messageSizeFor } from '../../../shared/contract/message-size.ts';
import { FLEET_METRICS, METRIC_NAMESPACE, METRICS } from '../../../shared/contract/metric-names.ts';
import {
  ASSUMED,
  assumedText,
  BENCHMARK,
  costOfImages,
  PRICES,
  type ProcessorFigure,
  usdOfTime,
} from '../../../shared/cost.ts';
import { type AlarmProperties, alarmsForPeople, alarmsThatScale } from '../../support/cloudwatch/alarm.ts';
import { runCommand } from '../../support/command.ts';
import { templateOf } from '../synthesized.ts';

const document = (name: string) => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8');
const runbook = document('runbook.md');
const cost = document('cost.md');
/** With everything that a stage can have. */
const template = templateOf({ api: {}, chatbot: {}, jobEvents: true, fleet: {} });

const alarms = alarmsForPeople(template);
const anchors = alarms.map(({ AlarmDescription }) => /docs\/runbook\.md#([a-z-]+)$/.exec(AlarmDescription)?.[1]);

/** The sections of the runbook by the anchors that Markdown makes of their headings. */
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')).toLowerCase().replaceAll(' ', '-'), section]),
);

/** Entries that belong to no alarm. */
const OTHER_ENTRIES = ['stop-everything', 'dead-letters'];
const entries = [...sections].filter(([anchor]) => !OTHER_ENTRIES.includes(anchor));

describe('the runbook', () => {
  test('has an entry per alarm, one to stop everything, and one about dead letters', () => {
    expect(entries.map(([anchor]) => anchor).toSorted()).toEqual([...new Set(anchors)].toSorted());
    expect(anchors.length).toBeGreaterThanOrEqual(6);
    expect([...sections.keys()]).toEqual(expect.arrayContaining(OTHER_ENTRIES));
  });

  test.each(entries)('%s has symptom, meaning, check, fix and when it clears, in this order', (_anchor, section) => {
    const parts = [...section.matchAll(/^\*\*(\w+):\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Symptom', 'Meaning', 'Check', 'Fix', 'Clears']);
  });

  test.each(alarms.map(({ AlarmName, AlarmDescription }) => [AlarmName, AlarmDescription]))(
    'the entry of %s names the alarm as its symptom',
    (name, description) => {
      const anchor = /#([a-z-]+)$/.exec(description)?.[1] ?? '';
      const symptom = /^\*\*Symptom:\*\*([\s\S]*?)\n\n/m.exec(sections.get(anchor) ?? '')?.[1];
      expect(symptom).toContain(`\`${/-(\w+)$/.exec(name)?.[1]}\``);
    },
  );

  const commands = [...new Set(runbook.match(/labelqueue --stack \$STACK [^#`\n]+/g))];
  test.each(commands)('%s is a command', async (line) => {
    const args = line.trim().split(/\s+/).slice(1).map(filledIn);
    const environment = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', ...CREDENTIALS };
    const { code, stderr } = await runCommand(args, { environment });
    // It got as far as CloudFormation, which nobody is here.
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cannot be reached') });
  });
});

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing', AWS_MAX_ATTEMPTS: '1' };

/** What the runbook's reader puts in place of a word in capitals. */
function filledIn(argument: string): string {
  return { $STACK: 'labelqueue-dev', JOB: 'cats', CODE: 'timeout' }[argument] ?? argument;
}

describe('the metrics', () => {
  const seen = JSON.stringify([template.findResources('AWS::CloudWatch::Dashboard'), alarms]).replaceAll('\\', '');

  test.each(Object.values({ ...METRICS, ...FLEET_METRICS }))(
    '%s, which the worker or its instance writes, is on the dashboard or in an alarm',
    (metric) => {
      expect(seen).toContain(`"${metric}"`);
    },
  );

  test('on the dashboard are those of the worker', () => {
    const shown = [...seen.matchAll(new RegExp(`\\["${METRIC_NAMESPACE}","(\\w+)"`, 'g'))].map(([, name]) => name);
    expect(shown.length).toBeGreaterThan(0);
    for (const name of shown) expect([...Object.values({ ...METRICS, ...FLEET_METRICS }), 'ColdStart']).toContain(name);
  });
});

const NUMBERS: Record<number, string> = {
  2: 'two',
  3: 'three',
  4: 'four',
  5: 'five',
  6: 'six',
  7: 'seven',
  8: 'eight',
  9: 'nine',
  10: 'ten',
  11: 'eleven',
  12: 'twelve',
  13: 'thirteen',
  14: 'fourteen',
  15: 'fifteen',
  16: 'sixteen',
};

/** In US dollars. @param seconds of its function, its start included */
function sweepsPerMonth(sqsRequests: number, seconds: number): number {
  const machine = { host: 'lambda', architecture: 'x86_64', memoryMb: 1_024 } as const;
  const each =
    usdOfTime({ ...machine, milliseconds: seconds * 1_000 }) + PRICES.lambdaRequest + sqsRequests * PRICES.sqsRequest;
  return (30 * 24 * 60 * each) / SWEEP_INTERVAL_MINUTES;
}

describe('the page about cost', () => {
  const dollars = (amount: number) => `$${amount.toFixed(3)}`;

  test.each([1, 10, 100, 500, 1_000])('has the cost of a million images, %d per message', (perMessage) => {
    const { lambdaUsd, lambdaRequestsUsd, sqsUsd, s3Usd, logsUsd, totalUsd } = costOfImages(1_000_000, perMessage);
    const parts = [lambdaUsd, lambdaRequestsUsd, sqsUsd, s3Usd, logsUsd, totalUsd].map(dollars).join(' | ');
    const isChosen = perMessage === messageSizeFor(1_000_000);
    const label = `${perMessage.toLocaleString('en')}${isChosen ? ' (the default for a job of a million)' : ''}`;
    expect(cost).toContain(`| ${label} | ${parts} |`);
  });

  test.each([
    ['x86_64 with AVX2, 1,769 MB', BENCHMARK.avx2],
    ['x86_64 with AVX2, 1,769 MB: 32-bit floats', BENCHMARK.avx2Floats],
    ['arm64, 1,769 MB: 32-bit floats, assuming the same speed', { ...BENCHMARK.avx2Floats, architecture: 'arm64' }],
    ['x86_64 with AVX-512 VNNI, 1,769 MB', BENCHMARK.vnni],
    ['x86_64 with AVX-512 VNNI, 1,769 MB: 32-bit floats', BENCHMARK.vnniFloats],
  ] as [string, ProcessorFigure][])('has what a million images cost on %s', (name, figure) => {
    const { totalUsd } = costOfImages(1_000_000, 100, figure);
    expect(cost).toContain(`| ${name} | ${figure.millisecondsPerImage} | ${dollars(totalUsd)} |`);
  });

  test('has the break-even of arm64 with the assumed processor and with AVX-512 VNNI', () => {
    const cheaper = PRICES.lambdaGbSecondArm / PRICES.lambdaGbSecond;
    const [assumed, vnni] = [ASSUMED, BENCHMARK.vnni].map(({ millisecondsPerImage }) => millisecondsPerImage / cheaper);
    expect(cost).toContain(`less than ${assumed?.toFixed(1)} ms (AVX2) or ${vnni?.toFixed(1)} ms (AVX-512 VNNI)`);
    expect(ASSUMED).toBe(BENCHMARK.avx2);
    expect(cost).toContain(`$${PRICES.lambdaGbSecondArm.toFixed(10)} per GB-second`);
  });

  const metricsIn = (made: readonly AlarmProperties[]) =>
    made.reduce(
      (sum, { Metrics }) =>
        sum + (Metrics === undefined ? 1 : Metrics.filter((metric) => 'MetricStat' in metric).length),
      0,
    );
  const alwaysThere = alarmsForPeople(templateOf());

  test('has the number of alarms and metrics of the stack', () => {
    const metrics = metricsIn(alwaysThere);
    expect(NUMBERS[alwaysThere.length]).toBeDefined();
    expect(cost).toContain(`${NUMBERS[alwaysThere.length]} alarms over ${NUMBERS[metrics]} metrics`);
    expect(cost).toContain(`($${(metrics * 0.1).toFixed(2)})`);
  });

  test.each([
    ['API', { api: {} }],
    ['chatbot', { chatbot: {} }],
    ['announcing of ends', { jobEvents: true }],
    ['fleet', { fleet: {} }],
  ])('has the number of alarms and metrics that the %s adds', (_option, config) => {
    const withOption = alarmsForPeople(templateOf(config));
    const more = withOption.length - alwaysThere.length;
    const metrics = metricsIn(withOption) - metricsIn(alwaysThere);
    expect(NUMBERS[more]).toBeDefined();
    expect(cost).toContain(
      `${NUMBERS[more]} more alarms over ${NUMBERS[metrics]} metrics ($${(metrics * 0.1).toFixed(2)})`,
    );
  });

  const optionRow = (option: string) => cost.split('\n').find((line) => line.startsWith(`| ${option} |`)) ?? '';
  const MILLION = { messages: 2_000, hours: 730 };

  test.each([
    ['`kmsKeyArn`', MILLION.messages * 3e-6],
    ['`vpc`: NAT gateway', 100 * 0.045],
    // 500 images of about 120 bytes, sent and received.
    ['`vpc`: interface endpoint', ((2 * MILLION.messages * 500 * 120) / 1e9) * 0.01],
    ['`tracing`', (MILLION.messages / 10) * 5e-6],
    // $0.004 per hour, see docs/decisions/job-end-events.md.
    ['`jobEvents`', (25 / 60) * 0.004],
    ['a topic in `allowProducers`', MILLION.messages * 0.5e-6],
    ['a rule in `allowProducers`', MILLION.messages * 1e-6],
  ])('has the cost that %s adds to a million images', (option, usd) => {
    const shown = usd < 1 ? dollars(usd) : `$${usd.toFixed(2)}`;
    expect(optionRow(option).split(' | ')[2]).toContain(shown);
  });

  test.each([
    // Two producers and a consumer, once per quarter of an hour: the formula of SQS's documentation.
    ['`kmsKeyArn`', MILLION.hours * 4 * (2 * 2 + 1) * 3e-6],
    ['`vpc`: NAT gateway', MILLION.hours * 0.045],
    ['`vpc`: interface endpoint', MILLION.hours * 2 * 0.01],
    ['the sweep, in each stage', sweepsPerMonth(2, 1)],
  ])('has the cost of %s per month', (option, usd) => {
    expect(optionRow(option).split(' | ')[3]).toContain(`$${usd.toFixed(2)}`);
  });

  test('has what a sweep of 10,000 dead letters costs', () => {
    expect(cost).toContain(
      `2,000 requests for 10,000 dead letters, $${(sweepsPerMonth(2_000, 0)).toFixed(2)} per month`,
    );
  });

  test('has the number of alarms that scale the fleet', () => {
    const scaling = alarmsThatScale(template);
    expect(cost).toContain(
      `${NUMBERS[scaling.length]} that scale over ${NUMBERS[metricsIn(scaling)]} metrics ($${(metricsIn(scaling) * 0.1).toFixed(2)})`,
    );
  });

  test('has the prices and the assumed processor', () => {
    expect(cost).toContain(`(${assumedText()})`);
    expect(cost).toContain(`$${PRICES.lambdaGbSecond.toFixed(10)} per GB-second`);
    expect(cost).toContain(`$${(PRICES.lambdaRequest * 1e6).toFixed(2)} per million requests`);
    expect(cost).toContain(`$${(PRICES.sqsRequest * 1e6).toFixed(2)} per million requests, each of up to 64 KiB`);
    expect(cost).toContain(`$${(PRICES.s3Put * 1_000).toFixed(3)} per 1,000 PUTs`);
    expect(cost).toContain(`$${PRICES.cloudWatchLogsGb.toFixed(2)} per GB`);
  });
});
