/** What cdk-nag and cfn-lint say of an app and of templates. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MOTO, pythonPackages } from '../support/python-packages.ts';

/** @returns what cdk-nag says is wrong; empty when all is well */
export function nagged(app: App, outdir: string): string {
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

/** @returns what cfn-lint prints; empty when it finds nothing */
export async function linted(...templates: string[]): Promise<string> {
  const run = promisify(execFile)('python3', ['-c', 'from cfnlint.runner import main; main()', ...templates], {
    env: { ...process.env, PYTHONPATH: await pythonPackages(MOTO) },
  });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}
