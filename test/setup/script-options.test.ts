import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
/** As npm names them in the environment. */
const KNOWN = /^options='([^']+)'/m.exec(readFileSync(join(ROOT, 'setup/node'), 'utf8'))?.[1]?.split(/\s+/) ?? [];

/** npm has these as well. */
const OF_NPM = ['json', 'only'];

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
  ['run', 'deploy', '--require-approval', 'never'],
  ['run', 'chaos', '--seed', '7'],
  ['run', 'bench', '--no-peers'],
  ['run', 'bench:client', '--latency', '80'],
])('npm %s %s %s is refused: npm keeps the option for itself', async (...args) => {
  const { code, stderr } = await npm(...args);
  expect(stderr).toContain('so the script was not started. Options stand behind --');
  expect(stderr).toMatch(/npm run [\w:]+ -- --(stage|profile|require-approval|seed|peers|latency) …/);
  expect(code).toBe(1);
});

test('npm start --model mine is refused as well', async () => {
  const { code, stderr } = await npm('start', '--model', 'mine');
  expect(stderr).toContain('for example: npm run start -- --model …');
  expect(code).toBe(1);
});

test('an option behind -- reaches its script', async () => {
  const { code, stderr } = await npm('run', 'synth', '--', '--stage', 'nowhere');
  expect(stderr).toContain('there is no infra/stages/nowhere.json');
  expect(code).toBe(1);
});

test('each option of each script that the setup runs is known', () => {
  const files = Object.values(scripts).flatMap((script) =>
    Array.from(script.matchAll(/setup\/node (\S+\.ts)/g), ([, file = '']) => file),
  );
  const options = [...new Set([...files, 'cli/local/demo.ts'])].flatMap((file) =>
    Array.from(
      readFileSync(join(ROOT, file), 'utf8').matchAll(/\.option\(\s*'--(?:no-)?([a-z0-9-]+)/g),
      ([, name = '']) => name,
    ),
  );
  expect(options.length).toBeGreaterThan(20);
  const unknown = options.filter((option) => !KNOWN.includes(option.replaceAll('-', '_')) && !OF_NPM.includes(option));
  expect(unknown).toEqual([]);
});
