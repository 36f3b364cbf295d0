import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { linted, nagged } from './rules.ts';
import { STAGES } from './stages.ts';
import { stageUnderTest } from './synthesized.ts';

const SAMPLES = [
  ...['job-events/events-to-queue.yaml', 'job-events/parquet-at-end.yaml', 'topics-and-rules/to-queue.yaml'],
  'ecs/worker.yaml',
].map((name) => join(import.meta.dirname, '../../samples', name));

const [folder] = await sharedByTests(createTemporaryFolder());

/** What cdk-nag finds in a stage, and the template that it has left. Synthesized once per file. */
const checked = new Map<string, { violations: string; template: string }>();
function checkedStage(name: string, config: object): { violations: string; template: string } {
  const outdir = join(folder.path, name);
  const known = checked.get(name);
  if (known !== undefined) return known;
  const { app, stack } = stageUnderTest(config, outdir);
  const made = { violations: nagged(app, outdir), template: join(outdir, `${stack.stackName}.template.json`) };
  checked.set(name, made);
  return made;
}

test.each(STAGES)('cdk-nag finds nothing in a stage that is %s', (name, config) => {
  expect(checkedStage(name, config).violations).toBe('');
});

test('cdk-nag would find something', () => {
  const outdir = join(folder.path, 'nag-wrong');
  const { app, stack } = stageUnderTest({}, outdir);
  new Bucket(stack, 'Open');
  expect(nagged(app, outdir)).toContain('AwsSolutions-S10');
});

// One run for all: cfn-lint takes longer to start than to look at a template.
test('cfn-lint finds nothing in any of these stages, nor in the samples', async () => {
  const templates = STAGES.map(([name, config]) => checkedStage(name, config).template);
  expect(await linted(...templates, ...SAMPLES)).toBe('');
}, 300_000);

test('cfn-lint would find something', async () => {
  const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } };
  const template = await folder.write('wrong.json', JSON.stringify({ Resources: { queue } }));
  expect(await linted(template)).toContain("'long' is not of type 'integer'");
}, 300_000);
