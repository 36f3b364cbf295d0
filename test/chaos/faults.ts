import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type Call, reply } from './aws-call.ts';

/** What can go wrong between a client and AWS; the names say whether the request had its effect. */
export const FAULTS = {
  serverErrorInstead: ({ response }) => fail(response, 500),

  unavailableInstead: ({ response }) => fail(response, 503),

  cutInstead: ({ response }) => void response.destroy(),

  /** The client waits until it has waited enough. */
  silenceInstead: ({ response }) => untilClosed(response),

  errorAfterEffect: async ({ response, forward }) => {
    await forward();
    fail(response, 500);
  },

  cutAfterEffect: async ({ response, forward }) => {
    await forward();
    response.destroy();
  },

  silenceAfterEffect: async ({ response, forward }) => {
    await forward();
    await untilClosed(response);
  },

  slow: async ({ response, forward }) => {
    await delay(SLOW_MS);
    reply(response, await forward());
  },

  /** Of a batch, one half is done and the other refused; what is no batch is refused as a whole. */
  halfABatch: async ({ body, response, forward }) => {
    const batch = batchIn(body);
    if (batch === undefined) return fail(response, 503);
    const half = Math.ceil(batch.Entries.length / 2);
    const answer = await forward(json({ ...batch, Entries: batch.Entries.slice(0, half) }));
    const refused = batch.Entries.slice(half).map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' }));
    const { Successful, Failed } = answerSchema.parse(JSON.parse(answer.body.toString()));
    const merged = json({ Successful, Failed: [...Failed, ...refused] });
    reply(response, { ...answer, headers: { 'content-type': answer.headers['content-type'] }, body: merged });
  },
} as const satisfies Record<string, (call: Call) => Promise<void> | void>;

export type FaultName = keyof typeof FAULTS;

/** Shorter than any client's patience. */
const SLOW_MS = 1_000;

function fail(response: Call['response'], status: number): void {
  response.writeHead(status).end();
}

async function untilClosed(response: Call['response']): Promise<void> {
  if (!response.closed) await once(response, 'close');
}

const batchSchema = z.looseObject({ Entries: z.array(z.looseObject({ Id: z.string() })).min(1) });
const answerSchema = z.object({ Successful: z.array(z.unknown()), Failed: z.array(z.unknown()) });

/** SQS's protocol is JSON, S3's is not. */
function batchIn(body: Buffer): z.infer<typeof batchSchema> | undefined {
  try {
    return batchSchema.safeParse(JSON.parse(body.toString())).data;
  } catch {
    return undefined;
  }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
