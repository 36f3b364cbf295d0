import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_MESSAGE_BYTES } from '../../shared/contract/limits.ts';
import { type OutgoingMessage, SendError, sendMessages } from '../../shared/jobs/send-messages.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { interceptSends } from './sqs-faults.ts';

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

function send(messages: OutgoingMessage[]): Promise<void> {
  return sendMessages(aws.target.sqs, aws.target.queueUrl, messages);
}

function numbered(count: number, bytes = 10): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => ({ body: String(index).padEnd(bytes, '.') }));
}

function bodiesInQueue(): string[] {
  return aws.queued().map(({ body }) => body);
}

/** How many entries each request had while `act` ran. */
async function requestsDuring(act: () => Promise<void>): Promise<number[]> {
  const sizes: number[] = [];
  using _watch = interceptSends(aws.target.sqs, (input, next) => {
    sizes.push(input.Entries?.length ?? 0);
    return next(input);
  });
  await act();
  return sizes.sort((one, other) => other - one);
}

describe('messages are sent', () => {
  test('each once, ten per request', async () => {
    const messages = numbered(25);
    expect(await requestsDuring(() => send(messages))).toEqual([10, 10, 5]);
    expect(bodiesInQueue().sort()).toEqual(messages.map(({ body }) => body).sort());
  });

  test('in requests of no more than 1 MiB', async () => {
    const messages = numbered(7, 300 * 1024);
    expect(await requestsDuring(() => send(messages))).toEqual([3, 3, 1]);
    expect(bodiesInQueue()).toHaveLength(7);
  });

  test('in requests of no more than 1 MiB, counted in bytes and not in characters', async () => {
    const messages = numbered(4).map(({ body }) => ({ body: body + '猫'.repeat(130 * 1024) }));
    expect(await requestsDuring(() => send(messages))).toEqual([2, 2]);
    expect(bodiesInQueue()).toHaveLength(4);
  });

  test('in requests of no more than 1 MiB with their attributes', async () => {
    const half = 'x'.repeat(MAX_MESSAGE_BYTES / 2);
    const messages = [{ body: half }, { body: half, attributes: { reason: 'not readable' } }];
    expect(await requestsDuring(() => send(messages))).toEqual([1, 1]);
    expect(await requestsDuring(() => send([{ body: half }, { body: half }]))).toEqual([2]);
    expect(bodiesInQueue()).toHaveLength(4);
  });

  test('of exactly 1 MiB', async () => {
    await send(numbered(1, MAX_MESSAGE_BYTES));
    expect(bodiesInQueue()).toHaveLength(1);
  });

  test('with their delays and attributes', async () => {
    await send([{ body: 'later', delaySeconds: 900, attributes: { job: 'cats', code: 'not_found' } }, { body: 'now' }]);
    const [now, later] = aws.queued().sort((one, other) => one.delaySeconds - other.delaySeconds);
    expect(now).toMatchObject({ body: 'now', attributes: {}, delaySeconds: 0 });
    expect(later).toMatchObject({ body: 'later', attributes: { job: 'cats', code: 'not_found' }, delaySeconds: 900 });
  });

  test('with no request when there are none', async () => {
    expect(await requestsDuring(() => send([]))).toEqual([]);
  });
});

function refused(Id: string | undefined, SenderFault: boolean): BatchResultErrorEntry {
  return { Id, SenderFault, Code: SenderFault ? 'InvalidMessageContents' : 'InternalError', Message: 'because' };
}

describe('entries that SQS rejects', () => {
  test('by its own fault are sent again, and only they', async () => {
    let requests = 0;
    using _fault = interceptSends(aws.target.sqs, async ({ Entries = [], ...input }, next) => {
      if (++requests > 2) return next({ ...input, Entries });
      const taken = Entries.filter((_, index) => index % 2 === 0);
      const left = Entries.filter((_, index) => index % 2 === 1);
      const output = await next({ ...input, Entries: taken });
      return { ...output, Failed: left.map(({ Id }) => refused(Id, false)) };
    });
    const messages = numbered(7);
    await send(messages);
    expect(requests).toBe(3);
    expect(bodiesInQueue().sort()).toEqual(messages.map(({ body }) => body));
  });

  test("by the sender's fault are an error at once; the others are sent", async () => {
    let requests = 0;
    using _fault = interceptSends(aws.target.sqs, async ({ Entries = [], ...input }, next) => {
      requests++;
      const output = await next({ ...input, Entries: Entries.slice(1) });
      return { ...output, Failed: [refused(Entries[0]?.Id, true)] };
    });
    const sending = send(numbered(3));
    await expect(sending).rejects.toThrow(SendError);
    await expect(sending).rejects.toThrow('SQS rejected 1 of 3 messages: InvalidMessageContents because');
    expect(requests).toBe(1);
    expect(bodiesInQueue()).toHaveLength(2);
  });

  test('four times are an error', async () => {
    let requests = 0;
    using _fault = interceptSends(aws.target.sqs, async ({ Entries = [] }) => {
      requests++;
      return { $metadata: {}, Successful: [], Failed: Entries.map(({ Id }) => refused(Id, false)) };
    });
    await expect(send(numbered(2))).rejects.toThrow('SQS rejected 2 of 2 messages: InternalError because');
    expect(requests).toBe(4);
  });
});

test('a request that SQS refuses as a whole is an error', async () => {
  await expect(send(numbered(1, MAX_MESSAGE_BYTES + 1))).rejects.toThrow(/longer than|1048576|too long/i);
  const elsewhere = sendMessages(aws.target.sqs, `${aws.target.queueUrl}-that-is-not-there`, numbered(1));
  await expect(elsewhere).rejects.toThrow(/does not exist/);
});
