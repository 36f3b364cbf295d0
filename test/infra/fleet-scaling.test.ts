import { describe, expect, test } from '@jest/globals';
import { stepsOut } from '../../infra/fleet/steps-out.ts';
import { type AlarmProperties, alarmsThatScale, expressionOf, statesOf } from '../support/cloudwatch/alarm.ts';
import { evaluate } from '../support/cloudwatch/metric-math.ts';
import { templateOf } from './synthesized.ts';

type Step = { MetricIntervalLowerBound: number; MetricIntervalUpperBound?: number; ScalingAdjustment: number };
type Policy = { AdjustmentType: string; MinAdjustmentMagnitude?: number; StepAdjustments: Step[] };

/** The rules of a stage: each alarm with the policy that it names. */
function rulesOf(config: object) {
  const template = templateOf({ fleet: config });
  const policies = template.findResources('AWS::AutoScaling::ScalingPolicy');
  return alarmsThatScale(template).map((alarm) => {
    const [{ Ref }] = alarm.AlarmActions as [{ Ref: string }];
    return { alarm, policy: policies[Ref]?.['Properties'] as Policy };
  });
}

const rules = rulesOf({});
const MAX = 10;
const named = (id: string) => rules.find(({ alarm }) => alarm.AlarmName === `labelqueue-test-FleetScale${id}`)?.alarm;

type Course = { waiting: number[]; taken: number[]; desired: number[] };

/** Whether the alarm is red after each minute. */
function course(alarm: AlarmProperties | undefined, given: Partial<Course>): string {
  if (alarm === undefined) throw new Error('expected such an alarm');
  const values = new Map(Object.entries({ taken: given.waiting?.map(() => 0) ?? [], ...given }));
  return statesOf(alarm, { values, missing: 'is missing' })
    .map((state) => (state === 'ALARM' ? 'A' : '-'))
    .join('');
}

const minutes = (value: number, count: number) => Array.from({ length: count }, () => value);

describe('the rules of how many instances there are', () => {
  test('start the first instance for a single message, a minute after it came', () => {
    expect(course(named('Out'), { waiting: [0, 1, 1], desired: [0, 0, 1] })).toBe('-A-');
  });

  test('count messages in flight as those that wait', () => {
    expect(course(named('Out'), { waiting: [0, 0], taken: [100, 101], desired: [1, 1] })).toBe('-A');
  });

  test('let half of the instances go once the other half would have been enough for ten minutes', () => {
    const tail = { waiting: minutes(100, 12), desired: minutes(4, 12) };
    expect(course(named('In'), tail)).toBe('---------AAA');
    expect(course(named('In'), { ...tail, waiting: minutes(160, 12) })).toBe('------------');
  });

  test('keep the last instance until nothing waits and nothing is in flight for ten minutes', () => {
    const last = { waiting: minutes(0, 12), taken: [1, ...minutes(0, 11)], desired: minutes(1, 12) };
    expect(course(named('In'), { ...last, taken: minutes(1, 12) })).toBe('------------');
    expect(course(named('ToZero'), { ...last, taken: minutes(1, 12) })).toBe('------------');
    expect(course(named('ToZero'), last)).toBe('----------AA');
  });

  test('do nothing while nobody uses the queue, so that SQS reports nothing', () => {
    const nothing = new Map<string, (number | undefined)[]>([
      ['waiting', [undefined, undefined, undefined]],
      ['taken', [undefined, undefined, undefined]],
      ['desired', minutes(0, 3)],
    ]);
    for (const { alarm } of rules)
      expect(statesOf(alarm, { values: nothing, missing: 'is missing' })).not.toContain('ALARM');
  });
});

/** What the group makes of a policy: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html */
function adjusted(desired: number, over: number, policy: Policy): number {
  const step = policy.StepAdjustments.find(
    (one) => over >= one.MetricIntervalLowerBound && over < (one.MetricIntervalUpperBound ?? Number.POSITIVE_INFINITY),
  );
  if (step === undefined) return desired;
  const { ScalingAdjustment: by } = step;
  if (policy.AdjustmentType === 'ExactCapacity') return by;
  if (policy.AdjustmentType === 'ChangeInCapacity') return desired + by;
  const part = Math.trunc((desired * by) / 100);
  return Math.max(0, desired + Math.min(part, -(policy.MinAdjustmentMagnitude ?? 0)));
}

/** Plays the rules minute by minute. @returns how many instances were asked for in each minute */
function play(
  made: typeof rules,
  { messages, perMinute, minutes: length }: { messages: number; perMinute: number; minutes: number },
) {
  const history: Course = { waiting: [], taken: [], desired: [] };
  let desired = 0;
  let left = messages;
  for (let minute = 0; minute < length; minute++) {
    history.waiting.push(left);
    history.taken.push(0);
    history.desired.push(desired);
    // Instances take two minutes to start.
    const ready = Math.min(desired, history.desired.at(-3) ?? 0);
    left = Math.max(0, left - ready * perMinute);
    const wanted = made.flatMap(({ alarm, policy }) => {
      const values = new Map(Object.entries(history));
      if (statesOf(alarm, { values, missing: 'is missing' }).at(-1) !== 'ALARM') return [];
      return [adjusted(desired, latest(alarm, history), policy)];
    });
    // Of several policies at once, the group takes the one that leaves it the most.
    if (wanted.length > 0) desired = Math.min(MAX, Math.max(...wanted));
  }
  return history.desired;
}

function latest(alarm: AlarmProperties, history: Course): number {
  const last = history.waiting.length - 1;
  const series = new Map(Object.entries(history).map(([name, values]) => [name, new Map([[last, values[last] ?? 0]])]));
  const result = evaluate(expressionOf(alarm), { period: 60, times: [last], series, missing: 'is missing' });
  return result.get(last) ?? 0;
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

  test('gets no more instances than its messages are worth', () => {
    const desired = play(rules, { messages: 450, perMinute: 1, minutes: 30 });
    expect(Math.max(...desired)).toBe(5);
  });
});

describe('the steps of the policy that adds instances', () => {
  test.each([1, 2, 10, 100, 1_000])('are few enough, and reach %d', (maxInstances) => {
    const steps = stepsOut(maxInstances);
    expect(steps.length).toBeLessThanOrEqual(20);
    const { metricIntervalLowerBound, metricIntervalUpperBound } = steps.at(-1) ?? {};
    expect(metricIntervalUpperBound).toBeUndefined();
    expect(2 * Math.max(1, Number(metricIntervalLowerBound))).toBeGreaterThanOrEqual(maxInstances);
  });

  test('never add more than are missing, rounded up', () => {
    for (const { metricIntervalLowerBound, scalingAdjustment } of stepsOut(1_000)) {
      expect(scalingAdjustment).toBeLessThanOrEqual(Math.ceil(Number(metricIntervalLowerBound) + 0.01));
    }
  });
});
