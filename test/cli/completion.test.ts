import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { startOnTerminal } from '../support/terminal-session.ts';

const [folder] = await sharedByTests(createTemporaryFolder());
beforeAll(async () => {
  await folder.write('my photos.csv', '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runCommand(['completion', shell]);
    expect(code).toBe(0);
    await folder.write(shell, stdout);
  }
});

/** What Bash offers for the last of the words. */
function offeredByBash(...words: string[]): string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _labelqueue; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['-c', script, 'bash', `${folder.path}/bash`, 'labelqueue', ...words], {
    encoding: 'utf8',
    // Only a shell that completes has `compopt`; without it, names of files are offered by themselves.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text.split('\n').filter(Boolean);
}

describe('Bash completes', () => {
  test.each([
    [['re'], ['results', 'report', 'redrive', 'relabel']],
    [
      ['results', '--fo'],
      ['--format', '--force'],
    ],
    [['results', 'cats', '--format', 'p'], ['parquet']],
    [['results', 'cats', '--format', '=', 'c'], ['csv']],
    [
      ['failures', 'cats', '--code', 'not_'],
      ['not_found', 'not_an_image'],
    ],
    [
      ['model', ''],
      ['check', 'teach', 'get', 'convert', '--help', '-h'],
    ],
    [
      ['model', 'get', 'eff'],
      ['efficientnet-lite0', 'efficientnet-lite1', 'efficientnet-lite2'],
    ],
    [['model', 'check', '--tr'], ['--trust-model']],
    [['model', 'teach', '--se'], ['--seed']],
    [['work', '--exit'], ['--exit-when-empty']],
    [['completion', 'f'], ['fish']],
    [['wait', 'cats', '--timeout', ''], []],
    [['enqueue', 'list.csv', '--url'], ['--url-column']],
    [['--st'], ['--stack']],
  ])('%j', (words, offered) => {
    expect(offeredByBash(...words).sort()).toEqual(offered.toSorted());
  });

  test('completes each command of the help', async () => {
    const { stdout } = await runCommand(['--help']);
    const commands = Array.from(stdout.matchAll(/^ {2}([a-z]+) .*/gm), ([, name]) => name);
    expect(commands.length).toBeGreaterThan(10);
    expect(offeredByBash('')).toEqual(expect.arrayContaining(commands));
  });
});

/** How each shell is started without the settings of whoever runs the test, and made ready. */
const SHELLS = [
  { shell: 'bash', args: ['--norc', '--noprofile', '-i'], ready: '' },
  { shell: 'zsh', args: ['-f', '-i'], ready: 'autoload -U compinit; compinit -u -D;' },
  { shell: 'fish', args: ['--no-config', '-i'], ready: '' },
].filter(({ shell }) => isInstalled(shell));

test.each(SHELLS)(
  'on a terminal, Tab completes a command, a choice and a file in $shell',
  async ({ shell, args, ready }) => {
    const environment = { HOME: folder.path, INPUTRC: '/dev/null' };
    const session = startOnTerminal([shell, ...args], { environment, columns: 200 });
    session.press(`${ready} cd ${folder.path}; source ${folder.path}/${shell}; echo rea''dy\r`);
    await session.shows(/\bready/);
    session.press('echo labelqueue; labelqueue resu\tcats --format parq\t--out my\t');
    await session.shows(/labelqueue results cats --format parquet --out (my\\ photos\.csv|'my photos\.csv')/);
    session.press('\u0003');
    session.hangUp();
    await session.ended;
  },
  60_000,
);

function isInstalled(shell: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${shell}`]);
    return true;
  } catch {
    return false;
  }
}
