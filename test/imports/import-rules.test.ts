import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { CLOSED_TO_PROGRAMS, IMPORT_RULES, importFault, RESERVED_PACKAGES } from './import-rules.ts';
import { importsOf } from './read-imports.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** A file of a place: the place itself, or one in its folder. */
const fileOf = (place: string) => (place.endsWith('/') ? `${place}deep/probe.ts` : place.replace(/\*$/, '-probe.ts'));

/** How a source file may import another, from a folder below that of its place. */
const FORMS = [
  (path: string) => `import { a } from '${path}';`,
  (path: string) => `import type { A } from '${path}';`,
  (path: string) => `export * from '${path}';`,
  (path: string) => `export type { A } from '${path}';`,
  (path: string) => `const { a } = await import('${path}');`,
  (path: string) => `async function f() { await using a = (await import('${path}')).a; }`,
];

test.each(FORMS)('%s is seen', async (form) => {
  const source = form('../../shared/jobs/x.ts');
  expect(await importsOf('cli/deep/probe.ts', source)).toEqual([{ path: 'shared/jobs/x.ts' }]);
  expect(await importsOf('cli/deep/probe.ts', form('@aws-sdk/client-s3'))).toEqual([{ package: '@aws-sdk/client-s3' }]);
  expect(await importsOf('cli/deep/probe.ts', form('node:fs'))).toEqual([]);
});

test("a path into a package's folder is that package", async () => {
  const source = "import '../node_modules/fauxqs/dist/x.js'; import 'hono/html'; import '@a/b/c.js';";
  const packages = [{ package: 'fauxqs' }, { package: 'hono' }, { package: '@a/b' }];
  expect(await importsOf('local/probe.ts', source)).toEqual(packages);
});

describe.each(IMPORT_RULES)('a file of $place', ({ place, imports, packages }) => {
  const file = fileOf(place);
  const others = [...IMPORT_RULES.map((rule) => rule.place), 'test/', 'testkit/', 'bench/', 'samples/', 'package.json'];
  const isAllowed = (other: string) =>
    [place, ...imports].some((allowed) => (allowed.endsWith('/') ? other.startsWith(allowed) : other === allowed));

  test.each(others.filter((other) => !isAllowed(other)))('may not import %s', (other) => {
    expect(importFault(file, { path: fileOf(other) })).toContain(`${file}: ${place} may not import ${fileOf(other)}`);
  });

  test.each([place, ...imports])('may import %s', (other) => {
    expect(importFault(file, { path: fileOf(other) })).toBeUndefined();
  });

  test('may import the packages of its list, and no other', () => {
    const free = packages.filter((name) => RESERVED_PACKAGES.every((reserved) => !reserved.packages.includes(name)));
    for (const name of free) expect(importFault(file, { package: name.replace('*', 'any') })).toBeUndefined();
    expect(importFault(file, { package: 'left-pad' })).toContain(`${place} may not import left-pad`);
  });
});

test.each(RESERVED_PACKAGES)('$packages may be imported by $places alone', ({ packages: [name = ''], places }) => {
  for (const place of places) expect(importFault(fileOf(place), { package: name.replace('*', 'x') })).toBeUndefined();
  const [owner = ''] = places[0]?.match(/^[^/]+\/([^/]+\/)?/) ?? [];
  const beside = `${owner.startsWith('shared/') ? owner : owner.replace(/\/.*/, '/')}beside.ts`;
  expect(importFault(beside, { package: name.replace('*', 'x') })).toMatch(/^\S+: only .+ may import /);
});

test.each(CLOSED_TO_PROGRAMS)('$place may import the product, and not $closed', ({ place, closed }) => {
  expect(importFault(fileOf(place), { path: 'cli/main.ts' })).toBeUndefined();
  for (const folder of closed) expect(importFault(fileOf(place), { path: fileOf(folder) })).toContain(folder);
});

test('the check that `npm run lint` makes fails on a file that breaks a rule, and names it', async () => {
  await using folder = await createTemporaryFolder();
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  };
  await write('shared/jobs/deep/good.ts', "import '../../contract/limits.ts';");
  await write('shared/jobs/deep/bad.ts', "import type { A } from '../../classifier/pipeline.ts';");
  const check = join(PROJECT, 'test/imports/check.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [check, folder.path], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: 'Checked the imports of 2 files: 1 are not allowed.\n',
  });
  expect(stderr).toMatch(
    /^shared\/jobs\/deep\/bad\.ts: shared\/jobs\/ may not import shared\/classifier\/pipeline\.ts; beside itself it may import /,
  );
});

/** The cells of the rows of a table in Markdown. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.slice(1, -1).split('|'));

test.each(IMPORT_RULES)('docs/architecture.md says what $place may import', async ({ place, imports }) => {
  const rows = rowsOf(await readFile(join(PROJECT, 'docs/architecture.md'), 'utf8'));
  const [, , mayImport = ''] = rows.find(([places = '']) => places.includes(`\`${place}\``)) ?? [];
  expect(mayImport.trim()).toBe(imports.map((path) => `\`${path}\``).join(', ') || 'node built-ins');
});
