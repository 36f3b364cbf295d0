import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { linted, nagged } from './rules.ts';
import { STAGES } from './stages.ts';
import { stageUnderTest } from './synthesized.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

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

test('cfn-lint finds nothing in any of these stages', async () => {
  const templates = STAGES.map(([name, config]) => {
    const { app, stack } = stageUnderTest(config, join(folder.path, `lint-${name}`));
    return join(app.synth().directory, `${stack.stackName}.template.json`);
  });
  expect(await linted(...templates)).toBe('');
}, 300_000);

test.each([
  ...['job-events/events-to-queue.yaml', 'job-events/parquet-at-end.yaml', 'topics-and-rules/to-queue.yaml'],
  'ecs/worker.yaml',
])(
  'cfn-lint finds nothing in the sample %s',
  async (name) => {
    expect(await linted(join(import.meta.dirname, '../../samples', name))).toBe('');
  },
  300_000,
);

test('cfn-lint would find something', async () => {
  const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } };
  const template = await folder.write('wrong.json', JSON.stringify({ Resources: { queue } }));
  expect(await linted(template)).toContain("'long' is not of type 'integer'");
}, 300_000);
