import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { actionlint } from '../support/actionlint.ts';

const ROOT = join(import.meta.dirname, '../..');
const workflow = readFileSync(join(ROOT, 'samples/github-actions/deploy.yml'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

test('the sample workflow runs scripts of this project', () => {
  const names = [...workflow.matchAll(/npm run ([\w:-]+) -- --stage/g)].map(([, name = '']) => name);
  expect(names).toEqual(['diff', 'deploy']);
  for (const name of names) expect(scripts).toHaveProperty([name]);
});

test('its jobs have only the permissions of a token, and no workflow has more', () => {
  expect(workflow).toMatch(/^permissions: \{\}$/m);
  const rights = [...workflow.matchAll(/^ {4}permissions:\n((?: {6}.+\n)+)/gm)].map(([, lines = '']) =>
    lines.trim().split(/\n\s*/),
  );
  expect(rights).toEqual(Array(2).fill(['contents: read', 'id-token: write']));
  expect(workflow).not.toMatch(/secrets\.|AWS_SECRET/);
});

test('no command contains text of a pull request', () => {
  for (const [, command = ''] of workflow.matchAll(/run: (.*)/g)) expect(command).not.toContain('${{');
});

test('actionlint finds nothing in it', async () => {
  expect(await actionlint(workflow)).toBe('');
}, 300_000);

test('actionlint would find something', async () => {
  const untrusted = workflow.replace(
    'run: npm run diff',
    `run: echo $${'{{ github.event.pull_request.title }}'} && npm run diff`,
  );
  expect(untrusted).not.toBe(workflow);
  expect(await actionlint(untrusted)).toContain('potentially untrusted');
  expect(await actionlint(workflow.replace('runs-on: ubuntu-22.04', 'runs_on: ubuntu-22.04'))).toContain(
    'unexpected key "runs_on"',
  );
}, 300_000);
