import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, test } from '@jest/globals';
import pMap from 'p-map';
import { formatMessage } from '../../shared/contract/message.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { scanDeadLetters } from '../../shared/jobs/dead-letters.ts';
import { redrive } from '../../shared/jobs/redrive.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { eventually } from '../../testkit/eventually.ts';
import { deadLetterPolls } from '../../testkit/short-polls.ts';
import { startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [network] = await sharedByTests(startInterceptedAws());
const { aws } = network;
const { longestSeconds } = deadLetterPolls;
beforeEach(() => {
  deadLetterPolls.longestSeconds = longestSeconds;
  aws.clear();
  network.intercept((_call, pass) => pass());
});

/** A receiver that waits as long as a letter is hidden receives it again. */
const REDELIVERED_AFTER_SECONDS = 1;
/** For thousands of requests, on a machine with other work as well. */
const MUCH_WORK_MS = 300_000;

function send(...bodies: string[]): Promise<void> {
  const { sqs, deadLetterQueueUrl } = aws.target;
  return sendMessages(
    sqs,
    deadLetterQueueUrl,
    bodies.map((body) => ({ body })),
  );
}

async function sendMany(count: number, body: (index: number) => string): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, index) => body(index));
  const hundreds = Array.from({ length: Math.ceil(count / 100) }, (_, index) =>
    bodies.slice(index * 100).slice(0, 100),
  );
  await pMap(hundreds, (some) => send(...some), { concurrency: 4 });
  return bodies.toSorted();
}

function letterOf(job: string, id: string): string {
  return formatMessage({ job, attempt: 1, images: [{ id, url: `https://host.example/${id}.jpg` }] });
}

function deadLetters(): string[] {
  return aws
    .deadLetters()
    .map(({ body }) => body)
    .toSorted();
}

function inFlight(): number {
  return aws.server.inspectQueue('labelqueue-dlq')?.messages.inflight.length ?? 0;
}

/** Remembers the letters that it is given. */
function reader(mayDelete: (body: string) => boolean = () => false) {
  const bodies: string[] = [];
  const handle = async ({ body }: { body: string }) => {
    bodies.push(body);
    return mayDelete(body);
  };
  return { bodies, handle };
}

test(
  'a redrive finds its letters behind more letters of others than it can hide, and ends',
  async () => {
    const LETTERS = 12_500;
    const others = await sendMany(LETTERS, (index) => letterOf('others', String(index)));
    await send(letterOf('cats', 'own'));
    const options = { job: 'cats', codes: undefined, perMessage: 100, dryRun: false };
    // They come back several times while it runs.
    const deadLetterScan = { hiddenSeconds: 1 };
    expect(await redrive(aws.target, { ...options, deadLetterScan }, new Date())).toEqual({
      ...{ images: 1, deadLetters: 1, ofEarlierRuns: 0, notLookedAt: 0 },
    });
    const queued = aws.queued().map(({ body }) => parseMessage(body));
    expect(queued).toMatchObject([{ job: 'cats', images: [{ id: 'own' }] }]);
    expect(deadLetters()).toEqual(others);
  },
  MUCH_WORK_MS,
);

test('an aborted scan returns its letters to the queue, and estimates how many it has not read', async () => {
  const LETTERS = 400;
  const letters = await sendMany(LETTERS, String);
  const ending = new AbortController();
  const { bodies, handle } = reader();
  const endAfterSome = async (letter: { body: string }) => {
    if (bodies.length === 50) ending.abort();
    return handle(letter);
  };
  const { lookedAt, notLookedAt, deleted } = await scanDeadLetters(aws.target, endAfterSome, { signal: ending.signal });
  expect(lookedAt).toBe(bodies.length);
  expect(lookedAt).toBeLessThan(LETTERS);
  expect({ deleted, sum: lookedAt + notLookedAt }).toEqual({ deleted: 0, sum: LETTERS });
  expect(aws.server.inspectQueue('labelqueue-dlq')?.messages.ready).toHaveLength(LETTERS);
  expect(deadLetters()).toEqual(letters);
});

test('each letter is handled once, however often it is redelivered', async () => {
  deadLetterPolls.longestSeconds = REDELIVERED_AFTER_SECONDS;
  const letters = await sendMany(300, String);
  const { bodies, handle } = reader((body) => body.endsWith('7'));
  const slow = async (letter: { body: string }) => {
    const isFirst = bodies.length === 0;
    const mayDelete = await handle(letter);
    if (isFirst) await eventually('a letter came back', () => aws.deadLetters().some((one) => one.receiveCount > 1));
    return mayDelete;
  };
  const scan = await scanDeadLetters(aws.target, slow, { hiddenSeconds: REDELIVERED_AFTER_SECONDS });
  expect(bodies.toSorted()).toEqual(letters);
  expect(scan).toEqual({ deleted: 30, lookedAt: 300, notLookedAt: 0 });
  expect(deadLetters()).toEqual(letters.filter((body) => !body.endsWith('7')));
});

test('a letter that is redelivered while it is handled is deleted in the end', async () => {
  deadLetterPolls.longestSeconds = REDELIVERED_AFTER_SECONDS;
  await send('slow');
  const { bodies, handle } = reader(() => true);
  const slow = async (letter: { body: string }) => {
    await eventually('it came back', () => aws.deadLetters().some(({ receiveCount }) => receiveCount > 1));
    return handle(letter);
  };
  const scan = await scanDeadLetters(aws.target, slow, { hiddenSeconds: REDELIVERED_AFTER_SECONDS });
  expect(scan).toEqual({ deleted: 1, lookedAt: 1, notLookedAt: 0 });
  expect(bodies).toEqual(['slow']);
  expect(deadLetters()).toEqual([]);
});

test(
  'at most the maximum number of letters is hidden at once, all are read, and all are there afterwards',
  async () => {
    const letters = await sendMany(2_000, String);
    let mostInFlight = 0;
    network.intercept(async (_call, pass) => {
      await pass();
      mostInFlight = Math.max(mostInFlight, inFlight());
    });
    const { bodies, handle } = reader();
    const scan = await scanDeadLetters(network.intercepted, handle, { maxHidden: 200 });
    expect(scan).toEqual({ deleted: 0, lookedAt: 2_000, notLookedAt: 0 });
    expect(bodies.toSorted()).toEqual(letters);
    expect(deadLetters()).toEqual(letters);
    // Those in the hands of its receivers come on top.
    expect(mostInFlight).toBeLessThanOrEqual(200 + 160);
    expect(mostInFlight).toBeGreaterThanOrEqual(200);
    expect(inFlight()).toBe(0);
  },
  MUCH_WORK_MS,
);

test('new letters do not prolong a scan forever', async () => {
  await sendMany(50, (index) => `old ${index}`);
  const { bodies, handle } = reader();
  const endless = async (letter: { body: string }) => {
    await send(`new ${bodies.length}`);
    return handle(letter);
  };
  const scan = await scanDeadLetters(aws.target, endless);
  expect(scan).toMatchObject({ deleted: 0, notLookedAt: 0 });
  expect(bodies.filter((body) => body.startsWith('old'))).toHaveLength(50);
}, 60_000);

test(
  'letters in flight to another reader are left, and counted',
  async () => {
    await sendMany(25, String);
    const { sqs, deadLetterQueueUrl: QueueUrl } = aws.target;
    await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }));
    const scan = await scanDeadLetters(aws.target, reader(() => true).handle);
    expect(scan).toEqual({ deleted: 15, lookedAt: 15, notLookedAt: 10 });
  },
  MUCH_WORK_MS,
);

test('when a letter cannot be handled, the others are done, nothing more is received, and all are visible again', async () => {
  const letters = await sendMany(2_000, String);
  const { bodies, handle } = reader();
  const failing = async (letter: { body: string }) => {
    await handle(letter);
    if (bodies.length === 100) throw new Error('no room for it');
    return false;
  };
  await expect(scanDeadLetters(aws.target, failing)).rejects.toThrow('no room for it');
  expect(bodies.length).toBeLessThan(1_000);
  expect(deadLetters()).toEqual(letters);
  // Those that were received with it come back by themselves.
  expect(inFlight()).toBeLessThanOrEqual(10);
});

test('letters that SQS did not delete are not counted as deleted', async () => {
  await sendMany(20, String);
  const { sqs } = network.intercepted;
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'DeleteMessageBatchCommand') return next(args);
        const { Entries = [] } = args.input as { Entries?: { Id: string }[] };
        const Failed = Entries.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' }));
        return { output: { Failed, $metadata: {} }, response: undefined };
      },
    { step: 'initialize', name: 'refuseDeletes' },
  );
  const scan = await scanDeadLetters(network.intercepted, reader(() => true).handle);
  sqs.middlewareStack.remove('refuseDeletes');
  expect(scan).toEqual({ deleted: 0, lookedAt: 20, notLookedAt: 0 });
  expect(deadLetters()).toHaveLength(20);
});
