import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decodeEmbedding, TRUNK } from '../../../shared/contract/embedding.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { sqsRecord } from '../../../testkit/sqs-record.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const HANDLER = join(import.meta.dirname, '../../../functions/classify/handler.ts');

const [aws, images] = await sharedByTests(startTestAws(), startImageServer());

async function lineOf(job: string, embedding: string, receiveCount = 1) {
  const worker = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: 60,
    environment: { ...aws.environment, ALLOWED_HOSTS: images.host, EMBEDDING: embedding },
    onLog: () => {},
  });
  const message = { v: 1, job, attempt: 1, images: [{ id: 'cat', url: images.url('/photos/chelsea.jpg') }] };
  try {
    const answer = await worker.invoke({ Records: [sqsRecord(JSON.stringify(message), receiveCount)] });
    expect(answer).toEqual({ batchItemFailures: [] });
  } finally {
    await worker.shutDown();
  }
  const [line] = await aws.results(job);
  return line;
}

test('a line has an embedding only with EMBEDDING=1, and the other fields do not change', async () => {
  const [without, line] = [await lineOf('without', '0'), await lineOf('with', '1')];
  const { embedding, trunk, ...rest } = line ?? {};
  expect(decodeEmbedding(embedding)).toHaveLength(1_280);
  expect(trunk).toMatch(TRUNK);
  expect(without).toEqual({ ...rest, job: 'without', at: without?.at });
  expect(Object.keys(line ?? {})).toEqual([
    ...['v', 'job', 'id', 'url', 'labels', 'model', 'image', 'embedding', 'trunk', 'attempt', 'at'],
  ]);
}, 60_000);

test('an image that is classified in an isolated process has the same embedding', async () => {
  const [together, isolated] = [await lineOf('together', '1'), await lineOf('isolated', '1', 2)];
  expect(isolated?.embedding).toBe(together?.embedding);
  expect(isolated?.trunk).toBe(together?.trunk);
}, 60_000);
