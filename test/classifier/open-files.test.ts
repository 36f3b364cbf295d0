import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { CONNECTIONS_NEEDED, MAX_CONNECTIONS, OTHER_OPEN_FILES } from '../../shared/contract/limits.ts';
import { connectionsAllowed, TooFewOpenFilesError } from '../../shared/runtime/open-files.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { MAIN } from '../support/command.ts';
import type { ManyHostsRound } from '../support/fetch-many-hosts.ts';
import { rawAnswer, startRawServer } from '../support/raw-server.ts';

const run = promisify(execFile);
const SUPPORT = join(import.meta.dirname, '../support');
/** Of a Lambda function. */
const LAMBDA_OPEN_FILES = 1_024;

/** Runs a module under a limit on open files. */
function runLimited(openFiles: number, module: string, args: string[], environment: Record<string, string> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const shell = ['-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh', process.execPath, '--no-warnings', module, ...args];
  return run('sh', shell, { env: { PATH, HOME, ...environment } });
}

describe('the connections of a process', () => {
  test.each([
    [OTHER_OPEN_FILES + CONNECTIONS_NEEDED, CONNECTIONS_NEEDED],
    [OTHER_OPEN_FILES + CONNECTIONS_NEEDED + 7, CONNECTIONS_NEEDED + 7],
    [LAMBDA_OPEN_FILES, MAX_CONNECTIONS],
    [Number.POSITIVE_INFINITY, MAX_CONNECTIONS],
  ])('with %d open files are at most %d', (openFiles, connections) => {
    expect(connectionsAllowed(openFiles)).toBe(connections);
  });

  test('are too few to work when there is no room for the images in flight', () => {
    expect(() => connectionsAllowed(OTHER_OPEN_FILES + CONNECTIONS_NEEDED - 1)).toThrow(TooFewOpenFilesError);
  });
});

test('1,500 hosts that ask for long keep-alives leave room for AWS under 1,024 open files, 5 times in a row', async () => {
  await using aws = await startTestAws();
  await using photos = await startRawServer(
    () => rawAnswer('bytes', 'Connection: keep-alive', 'Keep-Alive: timeout=602'),
    '0.0.0.0',
  );
  const args = [`${photos.port}`, '1500', '5'];
  const { stdout } = await runLimited(LAMBDA_OPEN_FILES, join(SUPPORT, 'fetch-many-hosts.ts'), args, aws.environment);
  const rounds = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ManyHostsRound);
  expect(rounds.map(({ outcomes, awsCalls }) => ({ outcomes, awsCalls }))).toEqual(
    Array(5).fill({ outcomes: { ok: 1_500 }, awsCalls: 40 }),
  );
  for (const { openFiles } of rounds) expect(openFiles).toBeLessThanOrEqual(MAX_CONNECTIONS + OTHER_OPEN_FILES);
}, 120_000);

describe('under a limit that is too small to work', () => {
  const TOO_FEW = OTHER_OPEN_FILES + CONNECTIONS_NEEDED - 1;

  test.each([
    ['classify', 'a.jpg'],
    ['local', '--port', '0', '--state-dir', '/nonexistent'],
  ])(
    '%s says so, and what to do',
    async (...args) => {
      const failed = await runLimited(TOO_FEW, MAIN, args).catch((error: { code: number; stderr: string }) => error);
      expect(failed).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(new RegExp(`got ${TOO_FEW}: raise the limit.*ulimit -n 1024`)),
      });
      expect(failed.stderr).not.toMatch(/\n\s+at /);
    },
    60_000,
  );
});
