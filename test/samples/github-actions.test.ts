import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const workflow = readFileSync(join(ROOT, 'samples/github-actions/deploy.yml'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

test('the sample workflow runs scripts of this project', () => {
  const names = [...workflow.matchAll(/npm run ([\w:-]+) -- --stage/g)].map(([, name = '']) => name);
  expect(names).toEqual(['diff', 'deploy']);
  for (const name of names) expect(scripts).toHaveProperty([name]);
});

test('its jobs have the rights of a token alone, and no workflow has more', () => {
  expect(workflow).toMatch(/^permissions: \{\}$/m);
  const rights = [...workflow.matchAll(/^ {4}permissions:\n((?: {6}.+\n)+)/gm)].map(([, lines = '']) =>
    lines.trim().split(/\n\s*/),
  );
  expect(rights).toEqual(Array(2).fill(['contents: read', 'id-token: write']));
  expect(workflow).not.toMatch(/secrets\.|AWS_SECRET/);
});

test('what a pull request says of itself is in no command', () => {
  for (const [, command = ''] of workflow.matchAll(/run: (.*)/g)) expect(command).not.toContain('${{');
});
