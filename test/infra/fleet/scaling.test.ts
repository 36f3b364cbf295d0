import { describe, expect, test } from '@jest/globals';
import { capacitySteps } from '../../../infra/fleet/capacity-steps.ts';
import { type AlarmProperties, alarmsThatScale, expressionOf, statesOf } from '../../support/cloudwatch/alarm.ts';
import { evaluate } from '../../support/cloudwatch/metric-math.ts';
import { templateOf } from '../synthesized.ts';

type Step = { MetricIntervalLowerBound: number; MetricIntervalUpperBound?: number; ScalingAdjustment: number };
type Policy = { AdjustmentType: string; StepAdjustments: Step[] };

/** The rules of a stage: each alarm with the policy that it names. */
function rulesOf(config: object) {
  const template = templateOf({ fleet: config });
  const policies = template.findResources('AWS::AutoScaling::ScalingPolicy');
  return alarmsThatScale(template).map((alarm) => {
    const [{ Ref }] = alarm.AlarmActions as [{ Ref: string }];
    return { alarm, policy: policies[Ref]?.['Properties'] as Policy };
  });
}

const rules = rulesOf({ messagesPerInstance: 100 });
const MAX = 10;
const named = (id: string) => rules.find(({ alarm }) => alarm.AlarmName === `labelqueue-test-FleetScale${id}`)?.alarm;

type Values = (number | undefined)[];
type Course = { waiting: Values; taken: Values; received: Values; desired: Values };

/** Whether the alarm is red after each minute. */
function course(alarm: AlarmProperties | undefined, given: Partial<Course>): string {
  if (alarm === undefined) throw new Error('expected such an alarm');
  const zeros = given.waiting?.map(() => 0) ?? [];
  const full = { taken: zeros, received: zeros, ...given };
  // SQS is documented to report messages in flight only while there are some: each course must be the same without zeros.
  const [withZeros, without] = [full, { ...full, taken: full.taken.map((value) => value || undefined) }].map((one) =>
    statesOf(alarm, { values: new Map(Object.entries(one)), missing: 'is missing' })
      .map((state) => (state === 'ALARM' ? 'A' : '-'))
      .join(''),
  );
  expect(without).toBe(withZeros);
  return withZeros ?? '';
}

const minutes = (value: number, count: number) => Array.from({ length: count }, () => value);

describe('the rules of how many instances there are', () => {
  test('start the first instance for a single message, a minute after its arrival', () => {
    expect(course(named('Out'), { waiting: [0, 1, 1], desired: [0, 0, 1] })).toBe('-A-');
  });

  test('start more for waiting messages, whether or not some are in flight', () => {
    const waiting = [100, 101, 0];
    expect(course(named('Out'), { waiting, taken: [0, 0, 0], desired: [1, 1, 1] })).toBe('-A-');
    expect(course(named('Out'), { waiting, taken: [80, 80, 80], desired: [1, 1, 1] })).toBe('-A-');
  });

  test('keep instances for messages in flight as for waiting ones', () => {
    const busy = { waiting: minutes(1, 12), desired: minutes(4, 12) };
    expect(course(named('In'), { ...busy, taken: minutes(200, 12) })).toBe('------------');
    expect(course(named('In'), { ...busy, taken: minutes(199, 12) })).toBe('---------AAA');
  });

  test('remove instances when half of them would have been enough for ten minutes', () => {
    const tail = { waiting: minutes(100, 12), taken: minutes(1, 12), desired: minutes(4, 12) };
    expect(course(named('In'), tail)).toBe('---------AAA');
    expect(course(named('In'), { ...tail, waiting: minutes(260, 12) })).toBe('------------');
  });

  test('keep the last instance until nothing waits and nothing is received for ten minutes', () => {
    const last = { waiting: minutes(0, 12), taken: minutes(0, 12), desired: minutes(1, 12) };
    expect(course(named('In'), { ...last, taken: minutes(1, 12) })).toBe('------------');
    expect(course(named('ToZero'), { ...last, received: minutes(1, 12) })).toBe('------------');
    expect(course(named('ToZero'), { ...last, waiting: minutes(1, 12) })).toBe('------------');
    expect(course(named('ToZero'), { ...last, received: [1, ...minutes(0, 11)] })).toBe('----------AA');
  });

  test('remove no instances while the figures of the queue are delayed', () => {
    const none = Array.from({ length: 15 }, () => undefined);
    const prepared = { waiting: none, taken: none, received: none, desired: minutes(5, 15) };
    for (const id of ['In', 'ToZero']) expect(course(named(id), prepared)).not.toContain('A');
  });

  test('do nothing while the queue is unused and SQS reports nothing', () => {
    const nothing = new Map<string, (number | undefined)[]>([
      ['waiting', [undefined, undefined, undefined]],
      ['taken', [undefined, undefined, undefined]],
      ['received', [undefined, undefined, undefined]],
      ['desired', minutes(0, 3)],
    ]);
    for (const { alarm } of rules)
      expect(statesOf(alarm, { values: nothing, missing: 'is missing' })).not.toContain('ALARM');
  });
});

/** What the group makes of a policy: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html */
function adjusted(desired: number, over: number, { AdjustmentType, StepAdjustments }: Policy): number {
  expect(AdjustmentType).toBe('ExactCapacity');
  const step = StepAdjustments.find(
    (one) => over >= one.MetricIntervalLowerBound && over < (one.MetricIntervalUpperBound ?? Number.POSITIVE_INFINITY),
  );
  return step?.ScalingAdjustment ?? desired;
}

type Job = {
  messages: number;
  perMinute: number;
  minutes: number;
  /** Minutes until CloudWatch has a figure of the group. */
  late?: number;
};

/**
 * Plays the rules minute by minute. Messages in flight are reported as SQS documents it: not while there are none.
 *
 * @returns how many instances were asked for in each minute
 */
function play(made: typeof rules, { messages, perMinute, minutes: length, late = 0 }: Job) {
  const history: Course = { waiting: [], taken: [], received: [], desired: [] };
  const asked: number[] = [];
  let desired = 0;
  let left = messages;
  for (let minute = 0; minute < length; minute++) {
    asked.push(desired);
    // Instances take two minutes to start.
    const ready = Math.min(desired, asked.at(-3) ?? 0);
    const taken = Math.min(left, ready * perMinute);
    left -= taken;
    history.waiting.push(left);
    history.taken.push(taken || undefined);
    history.received.push(taken);
    history.desired.push(asked.at(-1 - late) ?? 0);
    const wanted = made.flatMap(({ alarm, policy }) => {
      const values = new Map(Object.entries(history));
      if (statesOf(alarm, { values, missing: 'is missing' }).at(-1) !== 'ALARM') return [];
      return [adjusted(desired, latest(alarm, history), policy)];
    });
    // Of several policies at once, the group takes the one that leaves it the most.
    if (wanted.length > 0) desired = Math.min(MAX, Math.max(...wanted));
  }
  return asked;
}

function latest(alarm: AlarmProperties, history: Course): number {
  const times = history.waiting.map((_value, index) => index);
  const series = new Map(
    Object.entries(history).map(([name, values]) => [
      name,
      new Map(values.flatMap((value, time): [number, number][] => (value === undefined ? [] : [[time, value]]))),
    ]),
  );
  const result = evaluate(expressionOf(alarm), { period: 60, times, series, missing: 'is missing' });
  return result.get(times.length - 1) ?? 0;
}

describe('a job, minute by minute', () => {
  test('of one message has one instance, and then none', () => {
    const desired = play(rules, { messages: 1, perMinute: 60, minutes: 30 });
    expect(Math.max(...desired)).toBe(1);
    expect(desired.at(-1)).toBe(0);
  });

  test('of 100,000 messages has all instances within a few minutes, and none when it is over', () => {
    const desired = play(rules, { messages: 20_000, perMinute: 60, minutes: 80 });
    expect(desired.slice(0, 8)).toContain(MAX);
    expect(desired.at(-1)).toBe(0);
    const firstLess = desired.findIndex((count, minute) => count < (desired[minute - 1] ?? 0));
    // No instance goes and comes again.
    for (const [index, count] of desired.slice(firstLess).entries())
      expect(count).toBeLessThanOrEqual(desired[firstLess + index - 1] ?? 0);
  });

  test('gets no more instances than its messages justify, however late the figures of the group are', () => {
    for (const late of [0, 1, 2, 3]) {
      const desired = play(rules, { messages: 450, perMinute: 1, minutes: 30, late });
      expect(Math.max(...desired)).toBe(5);
    }
  });

  test('keeps enough instances for its last messages, however late the figures of the group are', () => {
    for (const late of [0, 1, 2, 3]) {
      const desired = play(rules, { messages: 2_000, perMinute: 4, minutes: 110, late });
      const busy = desired.slice(8, 60);
      expect(Math.min(...busy)).toBeGreaterThanOrEqual(1);
      // 40 messages a minute are done by ten instances, and fewer are enough for the last 500.
      expect(desired.slice(5, 30).every((count) => count === MAX)).toBe(true);
      expect(desired.at(-1)).toBe(0);
    }
  });
});

describe('the steps of a policy', () => {
  const capacityFor = (steps: ReturnType<typeof capacitySteps>, needed: number) =>
    steps.find(
      ({ metricIntervalLowerBound, metricIntervalUpperBound = Number.POSITIVE_INFINITY }) =>
        needed >= Number(metricIntervalLowerBound) && needed < Number(metricIntervalUpperBound),
    )?.scalingAdjustment;

  test.each([1, 2, 10, 20, 21, 100, 1_000])('of %d instances are at most 20, and have one for each number', (max) => {
    const steps = capacitySteps(max);
    expect(steps.length).toBeLessThanOrEqual(20);
    for (let needed = 1; needed <= max; needed++) {
      const capacity = capacityFor(steps, needed);
      expect(capacity).toBeGreaterThanOrEqual(needed);
      // Below what FleetScaleIn takes for twice as many as are needed: instances would come and go.
      expect(capacity).toBeLessThan(needed === 1 ? 2 : 1.5 * needed + 1);
      if (max <= 20) expect(capacity).toBe(needed);
    }
    expect(capacityFor(steps, 1_000_000)).toBe(max);
  });
});
