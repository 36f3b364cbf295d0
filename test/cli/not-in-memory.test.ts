import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PartWriter } from '../../functions/classify/part-writer.ts';
import { resultLine } from '../../shared/contract/result-line.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { runCommand } from '../support/command.ts';

const PEAK_MEMORY = join(import.meta.dirname, '../../testkit/report-peak-memory.mjs');
const IMAGES = 1_000_000;
const PER_PART = 1_000;
/** Half of the list was classified before, among as many others. */
const FIRST_OF_LIST = IMAGES / 2;

function urlOf(index: number): string {
  return `https://host.example/photos/${index}.jpg`;
}

async function classified(aws: TestAws, job: string): Promise<void> {
  const parts = new PartWriter(aws.target.s3, aws.target.resultsBucket);
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const model = { name: 'stub', version: '1' };
  const at = new Date();
  for (let start = 0; start < IMAGES; start += PER_PART) {
    const lines = Array.from({ length: PER_PART }, (_, offset) => {
      const url = urlOf(start + offset);
      return resultLine({ job, image: { id: url, url }, attempt: 1, at }, [], model, facts);
    });
    await parts.write('results', { job }, lines);
  }
}

test('comparing a million URLs with a million classified ones takes less than 300 MB', async () => {
  await using aws = await startTestAws();
  await using folder = await createTemporaryFolder();
  await classified(aws, 'first');
  const list = await folder.write(
    'list.txt',
    Array.from({ length: IMAGES }, (_, index) => `${urlOf(FIRST_OF_LIST + index)}\n`),
  );
  const run = await runCommand(['enqueue', list, '--not-in', 'first', '--dry-run', '--json'], {
    environment: aws.environment,
    // As bin/labelqueue starts it.
    execArgv: ['--max-semi-space-size=1', '--max-old-space-size=512', '--import', PEAK_MEMORY],
  });
  expect(run).toMatchObject({ code: 0 });
  expect(JSON.parse(run.stdout)).toMatchObject({ images: IMAGES / 2, leftOut: IMAGES / 2, repetitions: 0 });
  const kib = Number(/peak memory: (\d+) KiB/.exec(run.stderr)?.[1]);
  expect((kib * 1_024) / 1e6).toBeLessThan(300);
}, 600_000);
