import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkerLogTotals } from '../../dashboard/metrics-worker-log.ts';
import { thisMachine } from '../../shared/contract/worker-time.ts';
import { eventually } from '../../testkit/eventually.ts';
import { messageRecord, sqsRecord } from '../../testkit/sqs-record.ts';
import { wholeLines } from '../../worker/whole-lines.ts';
import { type Harness, startHarness } from '../support/acknowledgement-harness.ts';

type Observed = { stages: [stage: string, seconds: number][]; workers: { processor: string; model: string }[] };

function read(lines: readonly string[], machine = thisMachine({}, 'x64')) {
  const observed: Observed = { stages: [], workers: [] };
  const totals = new WorkerLogTotals(
    {
      observeStage: (stage, seconds) => void observed.stages.push([stage, seconds]),
      addWorker: (facts) => void observed.workers.push(facts),
    },
    machine,
  );
  for (const line of lines) totals.add(line);
  return { ...observed, ...totals.reading };
}

describe('what a real worker logs', () => {
  let harness: Harness;
  const lines: string[] = [];

  beforeAll(async () => {
    harness = await startHarness();
    const worker = await harness.startWorker({ onLine: (line) => void lines.push(line) });
    const images = [harness.good('a'), harness.good('b'), harness.missing(), harness.busy()];
    harness.faults.inject({ put: 'results/job=unsettled/' }, 503);
    await worker.invoke({
      Records: [
        messageRecord({ images }),
        messageRecord({ job: 'unsettled', images: [harness.good('c')] }),
        sqsRecord('{"cats": 3}'),
      ],
    });
    await eventually('its lines', () => lines.some((line) => line.includes('ImagesClassified')));
    await worker.shutDown();
  }, 60_000);
  afterAll(async () => harness[Symbol.asyncDispose]());

  test('is summed up as images by outcome and code, and messages', () => {
    const { images, messages } = read(lines);
    const some = images.filter(({ total }) => total > 0);
    expect(some).toHaveLength(3);
    expect(some).toEqual(
      expect.arrayContaining([
        { outcome: 'classified', total: 2 },
        { outcome: 'failed', code: 'not_found', total: 1 },
        { outcome: 'retried', code: 'server_error', total: 1 },
      ]),
    );
    expect(messages).toEqual({ settled: 1, malformed: 1, unsettled: 1 });
  });

  test('has times of each stage, in seconds', () => {
    const { stages } = read(lines);
    expect(stages.filter(([stage]) => stage === 'fetch').length).toBeGreaterThanOrEqual(4);
    expect(new Set(stages.map(([stage]) => stage))).toEqual(new Set(['fetch', 'decode', 'inference']));
    // A local server answers within seconds, and no stage takes less than a microsecond.
    for (const [, seconds] of stages) expect(seconds).toBeLessThan(30);
    expect(Math.max(...stages.map(([, seconds]) => seconds))).toBeGreaterThan(0);
  });

  test("has the worker's platform, with the same labels from its start", () => {
    const { workers } = read(lines);
    expect(workers.length).toBeGreaterThanOrEqual(2);
    expect(new Set(workers.map((worker) => JSON.stringify(worker))).size).toBe(1);
    expect(workers[0]?.processor).toMatch(/\S/);
    expect(workers[0]?.model).toMatch(/^\S+ \S+$/);
  });

  test('has a price', () => {
    const { costUsd } = read(lines);
    // Of some seconds at about $0.00003 a second.
    expect(costUsd).toBeGreaterThan(0.2e-6);
    expect(costUsd).toBeLessThan(0.01);
  });

  test('has the price of the instance that it runs on, and none on a machine of its own', () => {
    const on = (machine: string) => read(lines, thisMachine({ WORK_MACHINE: machine }, 'x64')).costUsd;
    // $0.0529 per vCPU-hour with its address and disk, and Lambda's for 1,769 MB; one request, which only Lambda has.
    expect(on('c7a.xlarge') / (read(lines).costUsd - 0.2e-6)).toBeCloseTo(0.0529 / 0.1037, 2);
    expect(on('own')).toBe(0);
  });
});

describe('lines', () => {
  const invocation = {
    message: 'invocation',
    messages: 2,
    classified: 5,
    failed: 3,
    retried: 0,
    cancelled: 1,
    putOff: 1,
    decodeLater: 2,
    notReached: 4,
    unreadable: 0,
    unsettled: 0,
    ms: 1_000,
    processor: 'CPU',
    model: { name: 'm', version: '1' },
  };

  test.each([
    ['text', 'WARNING: All log messages before absl'],
    ['half of JSON', '{"message":"invocation"'],
    ['JSON that is not an object', '[1]'],
    ['another message', '{"message":"image failed","code":"timeout"}'],
    ['an invocation without counts', '{"message":"invocation"}'],
    ['negative counts', JSON.stringify({ ...invocation, classified: -5 })],
    ['no number', JSON.stringify({ ...invocation, ms: '1' })],
  ])('that are %s are ignored', (_what, line) => {
    expect(read([line])).toEqual({
      stages: [],
      workers: [],
      images: [],
      messages: { settled: 0, malformed: 0, unsettled: 0 },
      costUsd: 0,
    });
  });

  test('of a worker without codes count as failed with an unknown code', () => {
    const { images } = read([JSON.stringify(invocation)]);
    expect(images).toContainEqual({ outcome: 'failed', code: 'other', total: 3 });
  });

  test('add up, including images that were sent on without an attempt', () => {
    const { images } = read([JSON.stringify(invocation), JSON.stringify(invocation)]);
    expect(images).toContainEqual({ outcome: 'sent_on', total: 14 });
    expect(images).toContainEqual({ outcome: 'classified', total: 10 });
  });
});

describe('pieces of any length', () => {
  test('are joined to lines', () => {
    const text = 'one\ntwo\n\nthree €\nrest';
    for (let length = 1; length <= text.length; length++) {
      const lines: string[] = [];
      const add = wholeLines((line) => void lines.push(line));
      for (let start = 0; start < text.length; start += length) add(text.slice(start, start + length));
      expect(lines).toEqual(['one', 'two', '', 'three €']);
    }
  });

  test('of an endless line are not kept beyond a limit', () => {
    let longest = 0;
    const add = wholeLines((line) => {
      longest = Math.max(longest, line.length);
    });
    for (let n = 0; n < 50; n++) add('x'.repeat(100_000));
    add('\nshort\n');
    expect(longest).toBeLessThanOrEqual(1024 * 1024);
  });
});
