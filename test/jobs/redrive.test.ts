import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Mutex } from 'async-mutex';
import pMap from 'p-map';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { formatMessage } from '../../shared/contract/message.ts';
import { partKey } from '../../shared/contract/object-keys.ts';
import { type FailureLine, failureLine } from '../../shared/contract/result-line.ts';
import type { WorkerTime } from '../../shared/contract/worker-time.ts';
import { usdOfTime } from '../../shared/cost.ts';
import { listObjects } from '../../shared/jobs/list-objects.ts';
import { PartTally } from '../../shared/jobs/part-tally.ts';
import { partLines, readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { type RedriveOptions, redrive } from '../../shared/jobs/redrive.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { idsIn } from '../support/ids-in.ts';
import { type InterceptedAws, startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { allFail, catsButMissing, imagesNamed, type Verdict, workQueueEmpty } from '../support/stub-worker.ts';

const JOB = 'cats';
const ALL: RedriveOptions = { job: JOB, codes: undefined, perMessage: 100, dryRun: false };
/** Every request of a redrive. */
const CALLS = [
  ...['LIST', 'GET', 'PUT', 'DELETE', 'POST'],
  ...['SendMessageBatch', 'GetQueueAttributes', 'ReceiveMessage', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'],
];

const [network] = await sharedByTests(startInterceptedAws());
const { aws } = network;
beforeEach(() => {
  aws.clear();
  network.intercept((_call, pass) => pass());
});

/** 32 images that failed together, and 8 that failed in twos, in files with others. */
async function failedImages(aws: TestAws, verdict = allFail): Promise<string[]> {
  const large = imagesNamed('large', 32);
  const small = imagesNamed('small', 8);
  await aws.send(formatMessage({ job: JOB, attempt: 1, images: large }));
  for (const start of [0, 2, 4, 6]) {
    await aws.send(formatMessage({ job: JOB, attempt: 1, images: small.slice(start, start + 2) }));
  }
  await workQueueEmpty(aws, verdict, 3);
  await workQueueEmpty(aws, verdict);
  return [...large, ...small].map(({ id }) => id).toSorted();
}

async function settled(aws: TestAws): Promise<string[]> {
  const { results, failures } = await readOutcomes(aws.target, JOB);
  return [...results.keys(), ...failures.keys()].toSorted();
}

test('keeps what the failures cost that leave a file, though workers on different machines wrote them', async () => {
  const lines = ['a', 'b'].map((id, index) => failedLine(id, index === 0 ? 'gone' : 'not_found'));
  const spent = { architecture: 'x86_64', memoryMb: 0, milliseconds: 10_000 } as const;
  const times: WorkerTime[] = [
    { ...spent, host: 'own' },
    { ...spent, host: 'ec2', instanceFamily: 'c7a' },
    { ...spent, host: 'lambda', memoryMb: 1_769 },
  ];
  for (const time of times) await putFailures(partKey('failures', { job: JOB }, lines, time), lines);
  const usd = async () => (await PartTally.of(aws.target, { job: JOB })).time.usd;
  const before = await usd();
  expect(before).toBeCloseTo(
    times.reduce((sum, time) => sum + usdOfTime(time), 0),
    12,
  );
  await redrive(aws.target, { ...ALL, codes: new Set(['gone']) }, new Date());
  expect(await aws.partKeys('failures', JOB)).toHaveLength(1);
  expect((await usd()) / before).toBeCloseTo(1, 3);
});

function failedLine(id: string, code: 'gone' | 'not_found'): FailureLine {
  const origin = { job: JOB, image: { id, url: `https://host/${id}` }, attempt: 1, at: new Date() };
  return failureLine(origin, new ImageFailure(code, 'expected status 200').report());
}

async function putFailures(Key: string, lines: readonly FailureLine[]): Promise<void> {
  const { s3, resultsBucket: Bucket } = aws.target;
  const Body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
}

/** Not a loop that takes the processor from everything that it watches. */
const PAUSE_MS = 20;

/** Works on what comes until it is told that no more will. */
function workMeanwhile(aws: TestAws, verdict: Verdict, pauseMs = PAUSE_MS): { end(): Promise<void> } {
  let isOver = false;
  const working = (async () => {
    while (!isOver) {
      await workQueueEmpty(aws, verdict);
      await delay(pauseMs);
    }
    await workQueueEmpty(aws, verdict);
  })();
  return {
    end() {
      isOver = true;
      return working;
    },
  };
}

describe('images that fail again while they are redriven', () => {
  async function redrivenSlowly(slow: string, milliseconds: number): Promise<void> {
    await using network = await startInterceptedAws();
    const { aws, intercepted } = network;
    const ids = await failedImages(aws);
    network.intercept(async (call, pass) => {
      if (call === slow) await delay(milliseconds);
      await pass();
      if (call === slow) await delay(milliseconds);
    });
    // Often enough to work several times in each delay.
    const worker = workMeanwhile(aws, allFail, Math.max(PAUSE_MS, milliseconds / 10));
    for (const redrives of [1, 2]) {
      const { images } = await redrive(intercepted, ALL, new Date());
      expect({ slow, redrives, images }).toEqual({ slow, redrives, images: ids.length });
    }
    await worker.end();
    expect({ slow, settled: await settled(aws) }).toEqual({ slow, settled: ids });
    expect({ slow, letters: new Set(idsIn(aws.deadLetters())) }).toEqual({ slow, letters: new Set(ids) });
  }

  test.each([0, 80, 150, 1_500])(
    'end in failures, with %i ms before and after each kind of call',
    async (milliseconds) => {
      await Promise.all(CALLS.map((slow) => redrivenSlowly(slow, milliseconds)));
    },
    300_000,
  );

  test('are not lost after a second redrive, and are classified when they succeed', async () => {
    const ids = await failedImages(aws);
    network.intercept(async (call, pass) => {
      if (call === 'DELETE') await delay(80);
      await pass();
    });
    const failingAgain = workMeanwhile(aws, allFail);
    await redrive(network.intercepted, ALL, new Date());
    await failingAgain.end();
    await redrive(network.intercepted, ALL, new Date());
    await workQueueEmpty(aws, catsButMissing);
    const { results, failures } = await readOutcomes(aws.target, JOB);
    expect([...results.keys()].toSorted()).toEqual(ids);
    expect(failures.size).toBe(0);
  });
});

/** As many failure files in batches of their own as are needed so that the listing goes on while they are sent. */
async function largeFailures(aws: TestAws, files: number): Promise<string[]> {
  const meta = { text: 'x'.repeat(700_000) };
  const error = { code: 'not_found' as const, message: 'expected status 200, got 404', retryable: false };
  const names = Array.from({ length: files }, (_, index) => imagesNamed(`file-${index}`, 3));
  for (const images of names) {
    const lines = images.map((image) => ({ job: JOB, ...image, meta, error, attempts: 1 }));
    const Body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const Key = partKey('failures', { job: JOB }, lines as unknown as FailureLine[]);
    await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body }));
  }
  return names.flat().map(({ id }) => id);
}

test('images that fail again while the failure files are listed are sent once', async () => {
  await using network = await startInterceptedAws();
  const { aws, intercepted } = network;
  const ids = await largeFailures(aws, 8);
  intercepted.s3.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        next(commandName === 'ListObjectsV2Command' ? { ...args, input: { ...args.input, MaxKeys: 2 } } : args),
    { step: 'initialize' },
  );
  const oneAtATime = new Mutex();
  const sent: string[] = [];
  network.intercept(async (call, pass) => {
    if (call !== 'SendMessageBatch') return pass();
    await oneAtATime.runExclusive(async () => {
      await pass();
      sent.push(...idsIn(aws.queued()));
      await workQueueEmpty(aws, allFail);
    });
  });
  const { images } = await redrive(intercepted, ALL, new Date());
  expect(images).toBe(ids.length);
  expect(sent.toSorted()).toEqual(ids.toSorted());
  expect(await settled(aws)).toEqual(ids.toSorted());
});

describe('with a worker that fails everything on the queue before and after each request', () => {
  /** Of half of the images the error is another one. */
  const twoErrors: Verdict = ({ id }) =>
    id.endsWith('1') ? new ImageFailure('gone', 'expected status 200, got 410') : allFail({ id, url: '' });

  /** Requests in turn, so that each finds the worker done. Remembers what was sent, and what was deleted unsent. */
  function watched(network: InterceptedAws) {
    const { aws } = network;
    const oneAtATime = new Mutex();
    const sent = new Set<string>();
    const deletedUnsent: string[] = [];
    const watch = async (call: string, pass: () => Promise<void>) => {
      await workQueueEmpty(aws, twoErrors);
      const before = lettersById(aws);
      await pass();
      if (call === 'SendMessageBatch') for (const id of idsIn(aws.queued())) sent.add(id);
      const after = lettersById(aws);
      const gone = [...before].filter(([messageId]) => !after.has(messageId)).map(([, body]) => ({ body }));
      deletedUnsent.push(...idsIn(gone).filter((id) => !sent.has(id)));
      await workQueueEmpty(aws, twoErrors);
    };
    network.intercept(async (call, pass) => {
      // Long polls change nothing, and would hold up each other.
      if (call === 'ReceiveMessage') await pass();
      else await oneAtATime.runExclusive(() => watch(call, pass));
    });
    return { sent, deletedUnsent };
  }

  function lettersById({ server }: TestAws): Map<string, string> {
    const { ready = [], inflight = [] } = server.inspectQueue('labelqueue-dlq')?.messages ?? {};
    const letters = [...ready, ...inflight.map(({ message }) => message)];
    return new Map(letters.map(({ messageId, body }) => [messageId, body]));
  }

  test.each([
    ['all', undefined],
    ['one code of two', new Set(['gone'])],
  ])('each redrive of %s deletes only letters of images that it has sent, and loses none', async (_, codes) => {
    const ids = await failedImages(aws, twoErrors);
    // As SQS moves them: without a failure line.
    const moved = imagesNamed('moved', 2);
    await sendMessages(aws.target.sqs, aws.target.deadLetterQueueUrl, [
      { body: formatMessage({ job: JOB, attempt: 1, images: moved }) },
    ]);
    const chosen = codes === undefined ? [...ids, 'moved-0', 'moved-1'] : ids.filter((id) => id.endsWith('1'));
    for (const redrives of [1, 2]) {
      const { sent, deletedUnsent } = watched(network);
      await redrive(network.intercepted, { ...ALL, codes }, new Date());
      expect({ redrives, deletedUnsent }).toEqual({ redrives, deletedUnsent: [] });
      expect({ redrives, sent: [...sent].toSorted() }).toEqual({ redrives, sent: chosen.toSorted() });
    }
    const letters = [...new Set(idsIn(aws.deadLetters()))].toSorted();
    expect(letters).toEqual([...ids, 'moved-0', 'moved-1'].toSorted());
    const failed = codes === undefined ? letters : ids;
    expect(await settled(aws)).toEqual(failed);
  });
});

describe('a redrive that is interrupted', () => {
  /** More than a whole redrive of these images makes. */
  const REQUESTS = 45;

  test.each(['before', 'after'] as const)(
    '%s any of its requests has its effect loses no image, and the next one finishes',
    async (when) => {
      const requests = Array.from({ length: REQUESTS }, (_, index) => index + 1);
      const wereWhole = await pMap(requests, (at) => isWholeWhenCutAt(at, when), { concurrency: 15 });
      expect(wereWhole.indexOf(true)).toBeGreaterThan(15);
      expect(wereWhole.at(-1)).toBe(true);
    },
    300_000,
  );

  /** From that request on, none passes: the process is gone. */
  async function isWholeWhenCutAt(at: number, when: 'before' | 'after'): Promise<boolean> {
    await using network = await startInterceptedAws();
    const { aws, intercepted } = network;
    const ids = await failedImages(aws);
    let requests = 0;
    network.intercept(async (_call, pass, cut) => {
      requests++;
      if (requests < at) return pass();
      if (requests === at && when === 'after') await pass();
      cut();
    });
    const isWhole = await redrive(intercepted, ALL, new Date()).then(
      () => true,
      () => false,
    );
    // Without a look into the DLQ, which keeps letters for 14 days only.
    const known = [...(await settled(aws)), ...idsIn(aws.queued()), ...(await takenAway(aws))];
    expect({ at, known: new Set(known) }).toEqual({ at, known: new Set(ids) });
    await redrive(aws.target, ALL, new Date());
    await workQueueEmpty(aws, catsButMissing);
    const { results } = await readOutcomes(aws.target, JOB);
    expect({ at, classified: [...results.keys()].toSorted() }).toEqual({ at, classified: ids });
    expect(await takenAway(aws)).toEqual([]);
    return isWhole;
  }

  /** Images in the files that a redrive keeps until it has sent them. */
  async function takenAway({ target }: TestAws): Promise<string[]> {
    const ids: string[] = [];
    for await (const { Key = '' } of listObjects(target.s3, target.resultsBucket, `jobs/${JOB}/redrive/`)) {
      for await (const { id } of partLines<{ id: string }>(target, Key)) ids.push(id);
    }
    return ids;
  }
});

test('an image in two failure files is sent once, and both files are deleted', async () => {
  const images = imagesNamed('twice', 3);
  await aws.send(formatMessage({ job: JOB, attempt: 1, images }));
  await workQueueEmpty(aws, allFail);
  await aws.send(formatMessage({ job: JOB, attempt: 1, images: images.slice(0, 1) }));
  await workQueueEmpty(aws, allFail);
  expect(await redrive(aws.target, ALL, new Date())).toEqual({
    images: 3,
    deadLetters: 4,
    ofEarlierRuns: 0,
    notLookedAt: 0,
  });
  expect(await aws.partKeys('failures', JOB)).toEqual([]);
  expect(new Set(idsIn(aws.queued()))).toEqual(new Set(images.map(({ id }) => id)));
});
