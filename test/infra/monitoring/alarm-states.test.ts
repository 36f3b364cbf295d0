import { describe, expect, test } from '@jest/globals';
import { type AlarmProperties, alarmsForPeople, statesOf } from '../../support/cloudwatch/alarm.ts';
import { templateOf } from '../synthesized.ts';

const template = templateOf({ api: {}, chatbot: {}, jobEvents: true, fleet: {} });
const alarms = new Map(
  alarmsForPeople(template).map((alarm) => {
    return [alarm.AlarmName.replace(/^labelqueue-test-/, ''), alarm];
  }),
);

type Values = (number | undefined)[];
/**
 * What is measured in each period of five minutes, and the alarm's state after each: `-` is OK, `A` is red. The last one
 * holds if CloudWatch computes with zero where a value is missing.
 */
type Course = [alarm: string, what: string, values: Record<string, Values>, states: string, withZeros?: string];

const no = undefined;
const always = (value: number | undefined, periods: number): Values => Array.from({ length: periods }, () => value);
/** Of something that CloudWatch has values of only when it happens. */
const once: Values = [no, no, 2, no, no, no, no, no, no];
const ONCE = '--AAAAA--';
/** Of Lambda, which has zeros while it is invoked. */
const twiceInHalfAnHour: Values = [0, 1, 0, 0, 3, 0, 0, 0, 0];
const TWICE = '----AAA--';
const twiceInARow: Values = [0, 5, 5, 0, 0];
/** Between two sweeps. */
const halfHour: Values = always(no, 5);
const TWICE_IN_A_ROW = '--AA-';

const COURSES: Course[] = [
  [
    'OldestMessage',
    'a message waits for more than an hour',
    { value: [0, 60, 4_000, 4_300, 4_600, 4_900, 30] },
    '----AA-',
  ],
  ['OldestMessage', 'a job takes half an hour', { value: [0, 600, 1_200, 1_800, 60] }, '-----'],
  ['OldestMessage', 'nobody uses the queue, and SQS reports nothing', { value: always(no, 5) }, '-----'],
  [
    'NoProgress',
    'a worker that has never started, so that there is no metric of its own',
    { waiting: always(5, 6), done: always(0, 6) },
    '---AAA',
  ],
  [
    'NoProgress',
    'workers stop, and go on after half an hour',
    { waiting: always(5, 9), done: [9, 9, 0, 0, 0, 0, 0, 9, 9] },
    '-----AA--',
  ],
  ['NoProgress', 'the queue is empty', { waiting: always(0, 6), done: always(0, 6) }, '------'],
  ['NoProgress', 'a message at a time, slowly', { waiting: always(5, 6), done: [0, 1, 0, 0, 1, 0] }, '------'],
  [
    'NoProgressInFlight',
    'workers die at their start, and hide what they took',
    { taken: always(5, 6), done: always(0, 6) },
    '---AAA',
  ],
  ['NoProgressInFlight', 'a message at a time, slowly', { taken: always(1, 6), done: [0, 1, 0, 0, 1, 0] }, '------'],
  // SQS is documented to report them only while there are some.
  ['NoProgressInFlight', 'nothing is in flight, reported as 0', { taken: always(0, 6), done: always(0, 6) }, '------'],
  [
    'NoProgressInFlight',
    'nothing is in flight, and not reported',
    { taken: always(no, 6), done: always(0, 6) },
    '------',
  ],
  ['MalformedMessages', 'one malformed message', { value: once }, ONCE],
  ['LastDeliveries', 'one message is delivered for the last time', { value: once }, ONCE],
  ['WorkerCrashes', 'one image ends each worker', { value: once }, ONCE],
  ['WorkerCrashes', 'no image ever did', { value: always(no, 5) }, '-----'],
  ['FailureShare', 'all images fail, from the first one on', { failed: always(100, 5), done: always(0, 5) }, '--AAA'],
  [
    'FailureShare',
    'half of them fail, then none',
    { failed: [0, 50, 50, 50, 0], done: [100, 50, 50, 50, 100] },
    '---A-',
  ],
  ['FailureShare', 'a tenth of them fail', { failed: always(10, 5), done: always(90, 5) }, '-----'],
  ['FailureShare', 'all of a handful fail', { failed: always(5, 5), done: always(0, 5) }, '-----'],
  [
    'FailureShare',
    'a bad job ends, and nothing follows',
    { failed: [90, 90, 90, no, no, no, no], done: [10, 10, 10, no, no, no, no] },
    '--AAA--',
    '--A----',
  ],
  ['FailureShare', 'the worker has never run', { failed: always(no, 5), done: always(no, 5) }, '-----'],
  ['FunctionErrors', 'two errors within half an hour', { value: twiceInHalfAnHour }, TWICE],
  ['FunctionErrors', 'one error', { value: [0, 1, 0, 0, 0, 0] }, '------'],
  ['Throttles', 'ten minutes of throttles', { value: twiceInARow }, TWICE_IN_A_ROW],
  ['RecursiveInvocations', 'Lambda drops an invocation', { value: [no, no, 3, no, no, no, no] }, '--AAA--'],
  ['RecursiveInvocations', 'it never did', { value: always(no, 5) }, '-----'],
  ['NearTimeout', 'ten minutes of long invocations', { value: [60_000, 118_000, 119_000, 50_000, 50_000] }, '--AA-'],
  ['NearTimeout', 'invocations that stop when they should', { value: always(115_000, 5) }, '-----'],
  [
    'UnsettledMessages',
    'two within half an hour',
    { value: [no, 1, no, no, 1, no, no, no, no, no, no] },
    '----AAAAA--',
  ],
  [
    'ApiServerErrors',
    'half of the answers are 5xx, then none',
    { requests: always(40, 5), errors: [0, 20, 20, 20, 0] },
    '---A-',
  ],
  ['ApiServerErrors', 'there was never an error', { requests: always(40, 5), errors: always(no, 5) }, '-----'],
  ['ApiServerErrors', 'one of few requests fails', { requests: always(2, 5), errors: always(1, 5) }, '-----'],
  ['ApiServerErrors', 'nobody asks', { requests: always(no, 5), errors: always(no, 5) }, '-----'],
  ['ApiLatency', 'callers wait for more than 10 s', { value: [900, 12_000, 12_000, 12_000, 900] }, '---A-'],
  ['ApiFunctionErrors', 'two errors within half an hour', { value: twiceInHalfAnHour }, TWICE],
  ['ApiThrottles', 'ten minutes of throttles', { value: twiceInARow }, TWICE_IN_A_ROW],
  [
    'SweepFunctionErrors',
    'two sweeps fail, half an hour apart',
    { value: [1, ...halfHour, 1, ...halfHour, 0, ...halfHour, 0, ...halfHour] },
    // CloudWatch looks for data some periods further back while values are missing.
    '------AAAAAAAA----------',
  ],
  [
    'SweepFunctionErrors',
    'one sweep fails, and the next ones do not',
    { value: [1, ...halfHour, 0, ...halfHour, 0] },
    '-------------',
  ],
  ['UnannouncedEnds', 'an announcement is given up', { value: [0, 0, 1, 1, 1, 0] }, '--AAA-'],
  ['UnannouncedEnds', 'nobody uses its queue, and SQS reports nothing', { value: always(no, 5) }, '-----'],
  ['AnnounceFunctionErrors', 'two errors within half an hour', { value: twiceInHalfAnHour }, TWICE],
  ['AnnounceThrottles', 'ten minutes of throttles', { value: twiceInARow }, TWICE_IN_A_ROW],
  ['ChatFunctionErrors', 'two errors within half an hour', { value: twiceInHalfAnHour }, TWICE],
  ['ChatThrottles', 'ten minutes of throttles', { value: twiceInARow }, TWICE_IN_A_ROW],
  ['FleetBelowCapacity', 'EC2 has no capacity', { wanted: always(4, 5), there: [4, 2, 2, 2, 4] }, '---A-'],
  [
    'FleetBelowCapacity',
    'instances take ten minutes to start',
    { wanted: [0, 4, 4, 4, 4], there: [0, 0, 0, 4, 4] },
    '-----',
  ],
  [
    'FleetBelowCapacity',
    'there are none, and none is asked for',
    { wanted: always(0, 5), there: always(0, 5) },
    '-----',
  ],
  ['FleetInstancesGivenUp', 'two instances end themselves', { value: once }, ONCE],
  ['FleetInstancesGivenUp', 'none ever did', { value: always(no, 5) }, '-----'],
  [
    'FleetIdle',
    'workers run and take nothing',
    { there: always(2, 5), waiting: always(50, 5), received: [8, 0, 0, 0, 8] },
    '---A-',
  ],
  [
    'FleetIdle',
    'instances are still starting',
    { there: always(0, 5), waiting: always(50, 5), received: always(0, 5) },
    '-----',
  ],
  ['FleetIdle', 'the queue is empty', { there: always(2, 5), waiting: always(0, 5), received: always(0, 5) }, '-----'],
];

function alarmOf(name: string): AlarmProperties {
  const alarm = alarms.get(name);
  if (alarm === undefined) throw new Error(`expected an alarm ${name}, got ${[...alarms.keys()].join(', ')}`);
  return alarm;
}

describe('an alarm turns red, and green again by itself', () => {
  test.each(COURSES)('%s: %s', (name, _what, values, states, withZeros = states) => {
    const course = (missing: 'is missing' | 'is zero') =>
      statesOf(alarmOf(name), { values: new Map(Object.entries(values)), missing })
        .map((state) => (state === 'ALARM' ? 'A' : '-'))
        .join('');
    expect(course('is missing')).toBe(states);
    expect(course('is zero')).toBe(withZeros);
  });

  test('each alarm of a stage has a scenario in which it is red', () => {
    const red = new Set(COURSES.flatMap(([name, , , states]) => (states.includes('A') ? [name] : [])));
    expect([...red].toSorted()).toEqual([...alarms.keys()].toSorted());
  });
});

describe('what an alarm says', () => {
  test.each([...alarms])(
    '%s: what is the matter, when it ends, and where to read on',
    (_name, { AlarmDescription }) => {
      expect(AlarmDescription).toMatch(/^[A-Z].+\. The alarm ends .+\. What to do: docs\/runbook\.md#[a-z-]+$/);
      // CloudWatch's own limit.
      expect(AlarmDescription.length).toBeLessThanOrEqual(1_024);
    },
  );

  test.each(['ALARM', 'OK'])('goes to the topic when it turns %s', (state) => {
    const actions = state === 'ALARM' ? 'AlarmActions' : 'OKActions';
    for (const alarm of alarms.values()) {
      expect(alarm[actions]).toEqual([{ Ref: expect.stringMatching(/Topic/) }]);
    }
  });
});

describe('ordinary failures', () => {
  test('have only the alarm on the share of failures: no dead letter keeps it red for 14 days', () => {
    const depths = [...alarms].filter(([, { MetricName }]) => /ApproximateNumberOfMessages/.test(MetricName ?? ''));
    // Of the queue of looks, which holds no images.
    expect(depths.map(([name]) => name)).toEqual(['UnannouncedEnds']);
  });
});
