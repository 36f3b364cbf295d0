import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Metafile } from 'esbuild';
import type { Swept } from '../../../functions/sweep/sweep.ts';
import { bundleWorker } from '../../../infra/package/bundle.ts';
import { readEndRecord } from '../../../shared/jobs/end-record.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { sqsRecord } from '../../../testkit/sqs-record.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { ExecutionEnvironment } from '../../../worker/execution-environment.ts';
import { anyRun, describeRun, idsOf, writeResults } from '../../support/ended-run.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { strandedLongAgo } from '../../support/stranded-run.ts';

const ROOT = join(import.meta.dirname, '../../..');

const [folder, aws] = await sharedByTests(createTemporaryFolder(), startTestAws());
let metafile: Metafile;
beforeAll(async () => {
  const bundle = join(folder.path, 'bundle');
  metafile = await bundleWorker(ROOT, bundle);
}, 120_000);

/** The modules that a function loads at its start. */
function loadedBy(name: string): string[] {
  const found = new Set<string>();
  const follow = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
      if (kind === 'import-statement') follow(next);
  };
  follow(Object.keys(metafile.outputs).find((path) => path.endsWith(`/${name}.mjs`)) ?? '');
  return [...found].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
}

test.each(['announce', 'sweep'])('the packaged function %s loads neither TensorFlow nor sharp', (name) => {
  const modules = loadedBy(name);
  expect(modules.length).toBeGreaterThan(20);
  expect(modules.filter((path) => /node_modules\/(?:@tensorflow|sharp)\//.test(path))).toEqual([]);
});

test('the packaged function announces an end with nothing but what is in the package', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(3));
  await writeResults(aws.target, of, idsOf(3));
  let log = '';
  const environment = new ExecutionEnvironment<SQSEvent, SQSBatchResponse>({
    handlerPath: join(folder.path, 'bundle/announce.mjs'),
    timeoutSeconds: 60,
    environment: aws.environment,
    onLog: (text) => {
      log += text;
    },
  });
  const Records = [sqsRecord(JSON.stringify({ v: 1, ...of }))];
  expect(await environment.invoke({ Records })).toEqual({ batchItemFailures: [] });
  await environment.shutDown();
  await eventually('a line in the log', () => log.includes('"job ended"'));
  expect((await readEndRecord(aws.target, of)).record).toMatchObject({
    state: 'ended',
    announced: true,
    sent: ['log'],
  });
}, 60_000);

test('the packaged function sweeps the DLQ with nothing but what is in the package', async () => {
  await strandedLongAgo(aws, ['a', 'b']);
  const environment = new ExecutionEnvironment<object, Swept>({
    handlerPath: join(folder.path, 'bundle/sweep.mjs'),
    timeoutSeconds: 300,
    environment: aws.environment,
    onLog() {},
  });
  expect(await environment.invoke({ source: 'aws.events' })).toMatchObject({ letters: 1, images: 2 });
  await environment.shutDown();
}, 60_000);
