import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { MOTO, pythonPackages } from '../support/python-packages.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { STAGES } from './stages.ts';
import { stageUnderTest } from './synthesized.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

/** @returns what cdk-nag says is wrong; empty when all is well */
function nagged(app: ReturnType<typeof stageUnderTest>['app'], outdir: string): string {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  try {
    app.synth();
    return '';
  } catch {
    return violationsIn(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
  }
}

type Violation = { ruleName: string; violatingConstructs: { constructPath: string }[]; acknowledgedId?: string };

/** Rule and construct, a line each, of what nobody has acknowledged. */
function violationsIn(report: string): string {
  const { pluginReports } = JSON.parse(report) as { pluginReports: { violations: Violation[] }[] };
  return pluginReports
    .flatMap(({ violations }) => violations.filter(({ acknowledgedId }) => acknowledgedId === undefined))
    .map(({ ruleName, violatingConstructs }) => `${ruleName}: ${violatingConstructs.map((one) => one.constructPath)}\n`)
    .join('');
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
async function linted(...templates: string[]): Promise<string> {
  const run = promisify(execFile)('python3', ['-c', 'from cfnlint.runner import main; main()', ...templates], {
    env: { ...process.env, PYTHONPATH: await pythonPackages(MOTO) },
  });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}

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
