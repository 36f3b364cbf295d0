import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readJob } from '../../shared/jobs/job-store.ts';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const IMAGES = 100_000;
/** Each hundredth image does not exist. */
const MISSING = IMAGES / 100;

function urlOf(index: number): string {
  return `https://host/${index % 100 === 0 ? 'missing-' : ''}${index}.jpg`;
}

test('100,000 lines pass enqueue, interruption, resume, status and results, with correct counts', async () => {
  await using aws = await startTestAws();
  await using folder = await createTemporaryFolder();
  const { environment } = aws;
  const source = await folder.write(
    'big.txt',
    Array.from({ length: IMAGES }, (_, index) => `${urlOf(index)}\n`),
  );

  const interrupted = startCommand(['enqueue', source, '--job', 'big'], { environment });
  await eventually('the job has begun', async () => (await readJob(aws.target, 'big')) !== undefined, 60_000);
  interrupted.interrupt();
  await interrupted.ended;
  const resumed = await runCommand(['enqueue', source, '--job', 'big', '--resume'], { environment });
  expect(resumed).toMatchObject({ code: 0 });
  expect(await readJob(aws.target, 'big')).toMatchObject({ state: 'enqueued', images: IMAGES, sent: IMAGES });

  await workQueueEmpty(aws, catsButMissing);
  const status = await runCommand(['status', 'big', '--json'], { environment });
  expect(JSON.parse(status.stdout)).toMatchObject({
    state: 'completed with failures',
    enqueued: IMAGES,
    classified: IMAGES - MISSING,
    failed: MISSING,
    failedByCode: { not_found: MISSING },
    toGo: 0,
  });

  const out = join(folder.path, 'results.jsonl');
  expect(await runCommand(['results', 'big', '--in-order', '--out', out], { environment })).toMatchObject({ code: 0 });
  const ids = (await readFile(out, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual(
    Array.from({ length: IMAGES }, (_, index) => urlOf(index)).filter((url) => !url.includes('missing')),
  );
}, 300_000);
