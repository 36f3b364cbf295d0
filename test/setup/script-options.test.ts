import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { SCRIPT_OPTIONS } from '../../setup/script-options.mjs';

const ROOT = join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** npm has these as well. */
const OF_NPM = new Set(['json', 'only']);

/** As a user runs it, on the npm that is there; the options of this test's own npm are none of it. */
function npm(...args: string[]): Promise<{ code: number; stderr: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH: `${dirname(process.execPath)}:${PATH}`, HOME };
  return new Promise((resolve) => {
    execFile('npm', args, { cwd: ROOT, env }, (error, _stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
    });
  });
}

test.each([
  ['run', 'synth', '--stage', 'nowhere'],
  ['run', 'synth', '--stage=nowhere'],
  ['run', 'deploy', '--profile=nobody'],
  ['run', 'deploy', '--stage', 'nowhere', '--', '--require-approval', 'never'],
  ['run', 'chaos', '--seed', '7'],
  ['run', 'bench', '--no-peers'],
  ['run', 'bench:client', '--latency', '80'],
  ['start', '--model', 'mine'],
])('npm %s %s %s is refused: npm does not pass the option on', async (...args) => {
  const { code, stderr } = await npm(...args);
  expect(stderr).toContain('so the script was not started. Options stand behind --');
  expect(stderr).toMatch(/npm (run [\w:]+|start) -- --(stage|profile|seed|no-peers|peers|latency|model) …/);
  expect(code).toBe(1);
});

test('an option after -- reaches its script', async () => {
  const { code, stderr } = await npm('run', 'synth', '--', '--stage', 'nowhere');
  expect(stderr).toContain('there is no infra/stages/nowhere.json');
  expect(code).toBe(1);
});

test('each option of each script that the set-up runs is known', () => {
  const files = Object.values(scripts).flatMap((script) => /^node setup\/run\.mjs (\S+\.ts)/.exec(script)?.[1] ?? []);
  const options = [...new Set([...files, 'cli/local/demo.ts'])].flatMap((file) =>
    Array.from(
      readFileSync(join(ROOT, file), 'utf8').matchAll(/\.option\(\s*'--([a-z0-9-]+)/g),
      ([, name = '']) => name,
    ),
  );
  expect(options.length).toBeGreaterThan(20);
  expect(options.filter((option) => !SCRIPT_OPTIONS.includes(option) && !OF_NPM.has(option))).toEqual([]);
});
