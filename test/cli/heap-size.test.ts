import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const COMMAND = join(import.meta.dirname, '../../bin/labelqueue');
/** Prints the flags of Node in place of running the command. The setup, which may run before, is a process of its own. */
const PRINTER = `if (process.argv[1].endsWith('/cli/main.ts')) {
  console.log(JSON.stringify(process.execArgv));
  process.exit();
}`;
const PRINT_FLAGS = `data:text/javascript,${encodeURIComponent(PRINTER)}`;

async function flagsOf(args: readonly string[]): Promise<string[]> {
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_OPTIONS: `--import ${PRINT_FLAGS}` };
  const { stdout } = await promisify(execFile)(COMMAND, args, { env: environment });
  return JSON.parse(stdout);
}

const SMALL = ['--max-semi-space-size=1', '--max-old-space-size=512'];
const LARGER = ['--min-semi-space-size=8', '--max-semi-space-size=8', '--initial-old-space-size=96'];

test.each([
  ['a usual command has a small heap', ['status', 'photos'], SMALL],
  ['relabel has a larger one', ['relabel', 'photos'], [...LARGER, '--max-old-space-size=512']],
  [
    'similar has a larger one, also after an option',
    ['--stack', 'labelqueue-dev', 'similar', 'photos', 'row-17'],
    [...LARGER, '--max-old-space-size=512'],
  ],
  ['local, which holds the embedded AWS, has that of Node', ['local', '--embedding'], []],
])('%s', async (_, args, flags) => {
  const memory = (await flagsOf(args)).filter((flag) => flag.includes('space-size'));
  expect(memory).toEqual(flags);
});
