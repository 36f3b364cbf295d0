import { afterEach, expect, test } from '@jest/globals';
import { PartWriter } from '../../../functions/classify/part-writer.ts';
import { WorkTime } from '../../../functions/classify/work-time.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { MAX_SHARED_PART_LINES, MIN_IMAGES_FOR_OWN_PART } from '../../../shared/contract/limits.ts';
import { readPartName } from '../../../shared/contract/object-keys.ts';
import { type FailureLine, failureLine } from '../../../shared/contract/result-line.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [aws] = await sharedByTests(startTestAws());

const parts = new PartWriter(aws.target.s3, aws.target.resultsBucket);
afterEach(() => aws.clear());

function line(id: string, message = 'expected status 200, got 404'): FailureLine {
  const image = { id, url: `https://example.com/${id}` };
  return failureLine(
    { job: 'job', image, attempt: 1, at: new Date() },
    new ImageFailure('not_found', message).report(),
  );
}

function lines(count: number, prefix = 'image'): FailureLine[] {
  return Array.from({ length: count }, (_, index) => line(`${prefix}-${index}`));
}

function lineCounts(keys: string[]): (number | undefined)[] {
  return keys.map((key) => readPartName(key)?.lines).toSorted();
}

test('writes the lines of a large message to their own part, without waiting for more', async () => {
  const written = lines(MIN_IMAGES_FOR_OWN_PART);
  await parts.write('failures', { job: 'job' }, written);
  expect(lineCounts(await aws.partKeys('failures', 'job'))).toEqual([MIN_IMAGES_FOR_OWN_PART]);
  expect(await aws.failures('job')).toEqual(written);
});

test('gathers the lines of small messages in one part', async () => {
  const writes = [lines(3, 'a'), lines(4, 'b')].map((some) => parts.write('failures', { job: 'job' }, some));
  expect(await aws.partKeys('failures', 'job')).toEqual([]);
  parts.flush();
  await Promise.all(writes);
  expect(lineCounts(await aws.partKeys('failures', 'job'))).toEqual([7]);
});

test('keeps jobs, and results and failures, apart', async () => {
  const writes = [
    parts.write('failures', { job: 'one' }, [line('a')]),
    parts.write('failures', { job: 'two' }, [line('a')]),
    parts.write('results', { job: 'one' }, [line('a')]),
  ];
  parts.flush();
  await Promise.all(writes);
  expect(await aws.partKeys('failures', 'one')).toHaveLength(1);
  expect(await aws.partKeys('failures', 'two')).toHaveLength(1);
  expect(await aws.partKeys('results', 'one')).toHaveLength(1);
});

test('writes a shared part once it is full, and starts another', async () => {
  const small = MIN_IMAGES_FOR_OWN_PART - 1;
  const messages = Math.ceil(MAX_SHARED_PART_LINES / small);
  const writes = Array.from({ length: messages }, (_, index) =>
    parts.write('failures', { job: 'job' }, lines(small, `${index}`)),
  );
  await Promise.all(writes);
  const late = parts.write('failures', { job: 'job' }, [line('late')]);
  parts.flush();
  await late;
  expect(lineCounts(await aws.partKeys('failures', 'job'))).toEqual([1, messages * small]);
});

test('overwrites the part when the same work is done again, in whatever order', async () => {
  await parts.write('failures', { job: 'job' }, lines(MIN_IMAGES_FOR_OWN_PART));
  const [key] = await aws.partKeys('failures', 'job');
  await parts.write('failures', { job: 'job' }, lines(MIN_IMAGES_FOR_OWN_PART).toReversed());
  expect(await aws.partKeys('failures', 'job')).toEqual([key]);
});

test('writes an image once when two messages of an invocation contain it', async () => {
  const writes = [[line('a'), line('b')], [line('b')]].map((some) => parts.write('failures', { job: 'job' }, some));
  parts.flush();
  await Promise.all(writes);
  expect(lineCounts(await aws.partKeys('failures', 'job'))).toEqual([2]);
});

test('writes lines that are read back unchanged, whatever text is in them', async () => {
  const strange = line('line\u2028separator "quoted" 日本語 🐈', 'two\nlines');
  const written = parts.write('failures', { job: 'job' }, [strange]);
  parts.flush();
  await written;
  expect(await aws.failures('job')).toEqual([strange]);
});

test('writes no empty parts', async () => {
  await parts.write('failures', { job: 'job' }, []);
  parts.flush();
  expect(await aws.partKeys('failures', 'job')).toEqual([]);
});

test('rejects for every message of a part that could not be written', async () => {
  const nowhere = new PartWriter(aws.target.s3, 'no-such-bucket');
  const writes = [[line('a')], [line('b')]].map((some) => nowhere.write('failures', { job: 'job' }, some));
  nowhere.flush();
  expect(await Promise.allSettled(writes)).toMatchObject([
    { status: 'rejected', reason: { name: 'NoSuchBucket' } },
    { status: 'rejected', reason: { name: 'NoSuchBucket' } },
  ]);
});

test("has the worker's time in the names of its parts, each millisecond once", async () => {
  let now = 0;
  const time = new WorkTime({
    machine: { host: 'lambda', architecture: 'arm64', memoryMb: 3_538 },
    now: () => now,
    startMs: 100,
  });
  const timed = new PartWriter(aws.target.s3, aws.target.resultsBucket, { time });
  const written = async (prefix: string) => {
    await timed.write('failures', { job: 'job' }, lines(MIN_IMAGES_FOR_OWN_PART, prefix));
    const keys = await aws.partKeys('failures', 'job');
    return keys.map((key) => readPartName(key)?.time?.milliseconds ?? Number.NaN).reduce((sum, each) => sum + each, 0);
  };
  using working = time.begin();
  expect(working).toBeDefined();
  now = 50.6;
  time.spentOn('job');
  expect(await written('a')).toBe(150);
  now = 60.2;
  time.spentOn('job');
  // What was left of a millisecond is not lost.
  expect(await written('b')).toBe(160);
  expect(await written('c')).toBe(160);
  const [key = ''] = await aws.partKeys('failures', 'job');
  expect(readPartName(key)?.time).toMatchObject({ architecture: 'arm64', memoryMb: 3_538 });
});

test('adds the time of a part that could not be written to the next one', async () => {
  let now = 0;
  const time = new WorkTime({ now: () => now });
  const nowhere = new PartWriter(aws.target.s3, 'no-such-bucket', { time });
  using working = time.begin();
  expect(working).toBeDefined();
  now = 70;
  time.spentOn('job');
  await expect(nowhere.write('failures', { job: 'job' }, lines(MIN_IMAGES_FOR_OWN_PART))).rejects.toThrow();
  await new PartWriter(aws.target.s3, aws.target.resultsBucket, { time }).write(
    'failures',
    { job: 'job' },
    lines(MIN_IMAGES_FOR_OWN_PART),
  );
  const [key = ''] = await aws.partKeys('failures', 'job');
  expect(readPartName(key)?.time?.milliseconds).toBe(70);
});
