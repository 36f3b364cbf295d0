import { join } from 'node:path';
import type { ImageRef } from '../../shared/contract/message.ts';
import type { ImageServer } from '../../testkit/image-server.ts';
import { describeJob } from '../../testkit/job-outcomes.ts';
import { messageRecord } from '../../testkit/sqs-record.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';

const HANDLER = join(import.meta.dirname, '../../functions/classify/handler.ts');

/** The photos of the job, by their ids. */
export const PHOTOS = {
  cat: '/photos/chelsea.jpg',
  'cat again': '/photos/chelsea.avif',
  coffee: '/photos/coffee.jpg',
  'coffee again': '/photos/coffee.webp',
  rocket: '/photos/rocket.jpg',
};

/**
 * Runs the job `cats` with the real worker and model: the photos, with `meta`, and an image `gone` that fails.
 *
 * @param embedding the worker's EMBEDDING
 */
export async function runEmbeddedJob(
  aws: TestAws,
  images: ImageServer,
  { embedding = '1', photos = PHOTOS }: { embedding?: string; photos?: Partial<typeof PHOTOS> } = {},
): Promise<void> {
  const refs: ImageRef[] = Object.entries({ ...photos, gone: '/status/404' }).map(([id, path]) => ({
    id,
    url: images.url(path),
    meta: { price: 1 },
  }));
  let log = '';
  const worker = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: 60,
    environment: { ...aws.environment, ALLOWED_HOSTS: images.host, EMBEDDING: embedding },
    onLog(text) {
      log += text;
    },
  });
  try {
    const answer = await worker.invoke({ Records: [messageRecord({ job: 'cats', images: refs })] });
    if (JSON.stringify(answer) !== '{"batchItemFailures":[]}') throw new Error(`the job was not settled: ${log}`);
  } finally {
    await worker.shutDown();
  }
  await describeJob(
    aws.target,
    refs.map(({ id }) => id),
  );
}
