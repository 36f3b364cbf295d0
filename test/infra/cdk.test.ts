import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { COMPILE_CACHE } from '../support/command.ts';

const CDK = join(import.meta.dirname, '../../infra/cdk.ts');

/** What `npm run synth -- …` runs, without credentials and on no terminal. */
async function cdk(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, CDK_DISABLE_CLI_TELEMETRY: 'true' };
  const child = spawn(process.execPath, [CDK, ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

test('a missing stage file is named before anything is packaged', async () => {
  const { code, stdout, stderr } = await cdk('deploy', '--stage', 'nowhere');
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: 'labelqueue: there is no infra/stages/nowhere.json: copy infra/stages/dev.json and change it\n',
  });
});

test.each([
  [['deploy', 'prod'], "expected options, got 'prod'; for a stage: npm run deploy -- --stage prod"],
  [['destroy', '--stage', 'dev', 'prod'], "expected options, got 'prod'"],
  [['redeploy'], "expected synth, diff, deploy, destroy, bootstrap, got 'redeploy'"],
])('%j is refused before anything is packaged: a stray word may be a stage', async (args, text) => {
  const { code, stdout, stderr } = await cdk(...args);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(text) });
});

test('synth needs no account and prints the template of the stage', async () => {
  const { code, stdout } = await cdk('synth', '--stage', 'dev');
  expect(code).toBe(0);
  expect(stdout).toContain('Runtime: nodejs24.x');
  expect(stdout).toContain('MaximumConcurrency: 8');
}, 900_000);

test('deploy stops when it needs an account, and says so', async () => {
  const { code, stderr } = await cdk('deploy', '--stage', 'dev');
  expect(code).not.toBe(0);
  expect(stderr).toContain('Unable to resolve AWS account');
}, 900_000);
