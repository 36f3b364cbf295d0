import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const PROJECT = join(import.meta.dirname, '../..');
const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

/** What the linter says of a file with this import. */
function lint(path: string, imported: string): string {
  const input = `import { something } from '${imported}';\n\nexport const probe = something;\n`;
  const args = [BIOME, 'lint', '--colors=off', `--stdin-file-path=${path}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: PROJECT, input, encoding: 'utf8' });
  return stdout + stderr;
}

test.each([
  ['dashboard/server/probe.ts', '../../local/embedded-aws.ts'],
  ['dashboard/server/probe.ts', '../../cli/terminal.ts'],
  ['dashboard/server/probe.ts', '../../functions/api/api.ts'],
  ['dashboard/server/probe.ts', '../../infra/app.ts'],
  ['dashboard/server/probe.ts', 'sharp'],
  ['dashboard/page/probe.js', '../../cli/terminal.ts'],
  ['shared/jobs/probe.ts', '../../dashboard/server/app.ts'],
  ['shared/classifier/probe.ts', '../../dashboard/server/app.ts'],
  ['shared/contract/probe.ts', '../../dashboard/contract.ts'],
  ['functions/classify/probe.ts', '../../dashboard/server/app.ts'],
  ['infra/probe.ts', '../dashboard/server/app.ts'],
])('%s may not import %s', (path, imported) => {
  expect(lint(path, imported)).toContain('noRestrictedImports');
});

test.each([
  ['dashboard/server/probe.ts', '../../shared/jobs/job-status.ts'],
  ['dashboard/server/probe.ts', 'hono'],
  ['cli/probe.ts', '../dashboard/server/dashboard-server.ts'],
  ['local/probe.ts', '../dashboard/server/app.ts'],
])('%s may import %s', (path, imported) => {
  expect(lint(path, imported)).not.toContain('noRestrictedImports');
});
