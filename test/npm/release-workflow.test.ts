import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { actionlint } from '../support/actionlint.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8');

type Job = {
  needs?: string;
  environment?: string;
  permissions: Record<string, string>;
  steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
};
const { on, permissions, jobs } = parse(text) as {
  on: object;
  permissions: object;
  jobs: Record<string, Job>;
};
const steps = Object.values(jobs).flatMap((job) => job.steps);

test('actionlint finds nothing in the release workflow', async () => {
  expect(await actionlint(text)).toBe('');
}, 300_000);

test('a release begins with a tag of a version, and with all checks', () => {
  expect(on).toEqual({ push: { tags: ['v*'] } });
  expect(jobs['check']?.steps.map(({ run }) => run)).toContain('npm run check');
  expect(jobs['check']?.steps.some(({ run }) => run?.includes('package.json'))).toBe(true);
  expect(Object.entries(jobs).map(([name, { needs }]) => [name, needs])).toEqual([
    ['check', undefined],
    ['build', 'check'],
    ['npm', 'build'],
    ['github', 'npm'],
  ]);
});

test('each action is pinned to a commit, and leaves no token behind', () => {
  const used = steps.flatMap(({ uses }) => uses ?? []);
  expect(used.length).toBeGreaterThan(5);
  for (const action of used) expect(action).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40}$/);
  for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))) {
    expect(step.with).toMatchObject({ 'persist-credentials': false });
  }
});

test('a job has the rights that it needs alone, and no secret is read', () => {
  expect(permissions).toEqual({});
  expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
    check: { contents: 'read' },
    build: { contents: 'read', 'id-token': 'write', attestations: 'write' },
    npm: { contents: 'read', 'id-token': 'write' },
    github: { contents: 'write' },
  });
  expect(text).not.toMatch(/secrets\./);
});

test('what runs are scripts of this project', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const names = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name));
  expect(names).toEqual(['check', 'build:npm', 'package', 'package', 'template']);
  for (const name of names) expect(Object.keys(scripts)).toContain(name);
});

test('the package is published with its provenance, and the files are attested', () => {
  const runs = steps.flatMap(({ run }) => run ?? []);
  expect(runs.filter((run) => run.includes('npm publish'))).toEqual([
    expect.stringContaining('  npm publish ./labelqueue-*.tgz --provenance --access public\n'),
  ]);
  expect(jobs['npm']?.environment).toBe('npm');
  expect(steps.find(({ uses }) => uses?.startsWith('actions/attest-build-provenance@'))?.with).toEqual({
    'subject-path': 'dist/release/*',
  });
});
