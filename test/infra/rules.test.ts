import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MOTO, pythonPackages } from '../support/python-packages.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { stageUnderTest } from './synthesized.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

const MODEL = { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) };

/** Stages that together have everything that a stage can have. */
const STAGES: [string, object][] = [
  ['least', { athena: false }],
  ['with ends announced', { jobEvents: true }],
  [
    'with ends announced everywhere',
    { api: {}, jobEvents: { topic: true, webhookSecretParameter: '/labelqueue/webhooks' } },
  ],
  ['with the API', { api: {}, sourceBuckets: ['photos'] }],
  ['with the chatbot', { chatbot: {}, sourceBuckets: ['photos'], model: MODEL }],
  [
    'with the API for tokens',
    {
      api: { jwt: { issuer: 'https://issuer.example', audience: ['labelqueue'] }, reservedConcurrency: 5 },
      model: MODEL,
    },
  ],
  ['usual', { alarmEmail: 'operator@example.com', sourceBuckets: ['photos', 'scans'], resultsExpireAfterDays: 30 }],
  [
    'provisioned',
    {
      provisionedPollers: { minimum: 2, maximum: 20 },
      batchSize: 100,
      batchWindowSeconds: 2,
      topK: 3,
      modelPrecision: 'float32',
      model: MODEL,
    },
  ],
];

/** @returns what cdk-nag says is wrong; empty when all is well */
function nagged(app: ReturnType<typeof stageUnderTest>['app'], outdir: string): string {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
    return '';
  } catch {
    return readFileSync(join(outdir, 'validation-report.json'), 'utf8');
  }
}

test.each(STAGES)('cdk-nag finds nothing in a stage that is %s', (name, config) => {
  const outdir = join(folder.path, `nag-${name}`);
  expect(nagged(stageUnderTest(config, outdir).app, outdir)).toBe('');
});

test('cdk-nag would find something', () => {
  const outdir = join(folder.path, 'nag-wrong');
  const { app, stack } = stageUnderTest({}, outdir);
  new Bucket(stack, 'Open');
  expect(nagged(app, outdir)).toContain('AwsSolutions-S10');
});

/** @returns what cfn-lint prints; empty when it finds nothing */
async function linted(template: string): Promise<string> {
  const run = promisify(execFile)('python3', ['-c', 'from cfnlint.runner import main; main()', template], {
    env: { ...process.env, PYTHONPATH: await pythonPackages(MOTO) },
  });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}

test.each(STAGES)(
  'cfn-lint finds nothing in a stage that is %s',
  async (name, config) => {
    const { app, stack } = stageUnderTest(config, join(folder.path, `lint-${name}`));
    expect(await linted(join(app.synth().directory, `${stack.stackName}.template.json`))).toBe('');
  },
  300_000,
);

test.each(['events-to-queue.yaml', 'parquet-at-end.yaml'])(
  'cfn-lint finds nothing in the sample %s',
  async (name) => {
    expect(await linted(join(import.meta.dirname, '../../samples/job-events', name))).toBe('');
  },
  300_000,
);

test('cfn-lint would find something', async () => {
  const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } };
  const template = await folder.write('wrong.json', JSON.stringify({ Resources: { queue } }));
  expect(await linted(template)).toContain("'long' is not of type 'integer'");
}, 300_000);
