import { expect, test } from '@jest/globals';
import { runCommand } from '../support/command.ts';

test.each([
  ['an unknown command', ['enque', 'urls.txt']],
  ['an unknown option', ['enqueue', 'urls.txt', '--per-mesage', '10']],
  ['an unknown option of the program', ['--quiet']],
  ['a missing argument', ['classify']],
  ['an argument too many', ['wait', 'cats', 'dogs']],
  ['an argument of a command that takes none', ['demo', 'samples']],
  ['a number that is none', ['classify', 'a.jpg', '--top', '5x']],
  ['a number out of range', ['enqueue', 'urls.txt', '--per-message', '1001']],
  ['an option without its value', ['local', '--port']],
  ['a command of a command that there is not', ['model', 'chek', 'my-model']],
  ['a missing argument of such a command', ['model', 'check']],
  ['a name that cannot be seen', ['model', 'teach', 'photos', '--name', ' ']],
  ['a share that leaves nothing to learn from', ['model', 'teach', 'photos', '--held-out', '0.9']],
  ['an unknown option of such a command', ['model', 'check', 'my-model', '--yaml']],
  ['a job name that no key can hold', ['enqueue', 'urls.txt', '--job', 'my cats']],
])('refuses %s with the error, the usage and how to get help, one line each, and exit code 2', async (_what, args) => {
  const { code, stdout, stderr } = await runCommand(args);
  expect(stderr).toMatch(/^labelqueue: .+\nUsage: labelqueue.*\nFor help: labelqueue.* --help\n$/);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('an error shows the usage and the help of its own command', async () => {
  const { stderr } = await runCommand(['model', 'check', '--yaml']);
  expect(stderr.split('\n').slice(1)).toEqual([
    'Usage: labelqueue model check [options] <folder> [photo...]',
    'For help: labelqueue model check --help',
    '',
  ]);
});

test('a misspelled option is answered with the right one, on the same line', async () => {
  const { stderr } = await runCommand(['enqueue', 'urls.txt', '--per-mesage', '10']);
  expect(stderr).toMatch(/^labelqueue: unknown option '--per-mesage' \(Did you mean --per-message\?\)\n/);
});

test('without a command, prints the help', async () => {
  const { code, stdout, stderr } = await runCommand([]);
  expect(stderr).toContain('Commands:');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.each([
  [['--help'], ['demo', 'local', 'enqueue', 'results', 'failures', 'report', 'classify', 'Exit codes']],
  [
    ['demo', '--help'],
    ['--state-dir', '--model'],
  ],
  [
    ['model', 'check', '--help'],
    ['<folder>', '[photo...]', '--trust-model', '--json', 'docs/models.md'],
  ],
  [
    ['model', 'teach', '--help'],
    [
      '<photos>',
      '--out',
      '--base',
      '--report',
      '--held-out',
      '--seed',
      '--allow-host',
      '--force',
      '--json',
      'docs/models.md',
    ],
  ],
  [
    ['model', 'get', '--help'],
    ['<network>', '[folder]', 'efficientnet-lite2', 'docs/models.md'],
  ],
  [
    ['model', 'convert', '--help'],
    ['<folder>', '[out]', '--trust-model', '--json', 'docs/models.md'],
  ],
  [
    ['local', '--help'],
    ['--port', '--workers', '--model', '--trust-model', '--allow-host', '--state-dir'],
  ],
  [
    ['work', '--help'],
    [
      '--processes',
      '--drain-seconds',
      '--exit-when-empty',
      '--port',
      '--host',
      '--spot',
      '--json',
      '--stack',
      'WORK_PROCESSES',
    ],
  ],
  [
    ['enqueue', '--help'],
    ['<source...>', '--job', '--per-message', 'QUEUE_URL'],
  ],
  [
    ['results', '--help'],
    ['<job>', '--format', '--out', '--in-order', '--min-score', '--label', '--json', 'TMPDIR'],
  ],
  [
    ['failures', '--help'],
    ['<job>', '--code', '"not_found"', '--format', '--out', '--json', 'code, stage, message', 'error as a struct'],
  ],
  [
    ['report', '--help'],
    ['<job>', '--out', '--images', '--allow-host', '--json', 'SOURCE_BUCKETS'],
  ],
  [
    ['classify', '--help'],
    ['<image...>', '--top', '--json', '--model', '--trust-model', '--allow-host'],
  ],
])('prints the help for %j', async (args, mentioned) => {
  const { code, stdout, stderr } = await runCommand(args);
  expect(stdout).toContain('Usage: labelqueue');
  for (const text of mentioned) expect(stdout).toContain(text);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('prints its version', async () => {
  const { code, stdout } = await runCommand(['--version']);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
});
