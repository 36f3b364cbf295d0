import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const PROJECT = join(import.meta.dirname, '../..');
const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

const FORBIDDEN = [
  ['dashboard/server', '../../local/embedded-aws.ts'],
  ['dashboard/server', '../../cli/terminal.ts'],
  ['dashboard/server', '../../functions/api/api.ts'],
  ['dashboard/server', '../../infra/app.ts'],
  ['dashboard/server', 'sharp'],
  ['dashboard/page', '../../cli/terminal.ts'],
  ['shared/jobs', '../../dashboard/server/app.ts'],
  ['shared/classifier', '../../dashboard/server/app.ts'],
  ['shared/contract', '../../dashboard/contract.ts'],
  ['functions/classify', '../../dashboard/server/app.ts'],
  ['infra', '../dashboard/server/app.ts'],
] as const;
const ALLOWED = [
  ['dashboard/server', '../../shared/jobs/job-status.ts'],
  ['dashboard/server', 'hono'],
  ['cli', '../dashboard/server/dashboard-server.ts'],
  ['local', '../dashboard/server/app.ts'],
] as const;

const [folder] = await sharedByTests(createTemporaryFolder());
/** The probes that the linter refuses for what they import. */
let refused: Set<string>;

const probeOf = ([path, imported]: readonly [string, string]) => `${path}/probe-${imported.replaceAll(/\W/g, '-')}.ts`;

/** Probes in a project that has the rules and nothing else. */
beforeAll(async () => {
  await copyFile(join(PROJECT, 'biome.json'), join(folder.path, 'biome.json'));
  for (const probe of [...FORBIDDEN, ...ALLOWED]) {
    const path = join(folder.path, probeOf(probe));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `import { something } from '${probe[1]}';\n\nexport const probe = something;\n`);
  }
  const args = [BIOME, 'lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', '.'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder.path, encoding: 'utf8' });
  const found = stdout.matchAll(/title=lint\/style\/noRestrictedImports,file=([^,]+)/g);
  refused = new Set(Array.from(found, ([, file = '']) => relative(folder.path, file)));
});

test.each(FORBIDDEN)('a file of %s may not import %s', (...probe) => {
  expect([...refused]).toContain(probeOf(probe));
});

test.each(ALLOWED)('a file of %s may import %s', (...probe) => {
  expect(refused.size).toBeGreaterThan(0);
  expect([...refused]).not.toContain(probeOf(probe));
});
