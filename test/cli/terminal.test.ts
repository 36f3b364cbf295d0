import { readFileSync } from 'node:fs';
import { glob, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { visibleStream } from '../../cli/terminal/terminal.ts';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { graphFolder } from '../classifier/tfjs-folders.ts';
import { runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { runOnTerminal } from '../support/terminal-command.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A title for the window, a colour in one byte, text the wrong way round, and nothing that is wide. */
const HOSTILE = '\u001b]0;owned\u0007\u009b31m\u202egnp\u200b\u2066';
const SHOWN = '\\u001b]0;owned\\u0007\\u009b31m\\u202egnp\\u200b\\u2066';
/** What no text of others may bring to a terminal. */
const HARM = /[[\p{Cc}\p{Cf}]--[\r\n]]/v;
/** What the bar draws with. */
const DRAWING = new RegExp(`${'\u001b'}(?:\\[[?\\d;]*[A-Za-z]|[78])`, 'g');

const { aws, folder } = await commandTests();

function expectHarmless(text: string): void {
  expect(text).not.toMatch(HARM);
  expect(text).toContain(SHOWN);
}

describe('untrusted text is printed in a harmless form:', () => {
  test('names of files and addresses given to classify', async () => {
    const { code, stderr } = await runCommand(['classify', `${HOSTILE}.jpg`, `http://127.0.0.1:1/${HOSTILE}`]);
    expectHarmless(stderr);
    expect(stderr).toContain(`${SHOWN}.jpg: not_found: no such file\n`);
    expect(code).toBe(3);
  });

  test('labels, one line each even if they contain line feeds', async () => {
    await using model = await graphFolder({
      output: 'means',
      labels: [`red${HOSTILE}`, 'green\nlabelqueue: done', 'blue'],
    });
    const photo = join(ROOT, 'samples/photos/coffee.jpg');
    const { stdout } = await runCommand(['classify', '--model', model.path, photo]);
    expectHarmless(stdout);
    expect(stdout).toContain('green\\u000alabelqueue: done (score');
    const json = await runCommand(['classify', '--json', '--model', model.path, photo]);
    expectHarmless(json.stdout);
    expect(JSON.parse(json.stdout).labels.map(({ label }: { label: string }) => label)).toContain(`red${HOSTILE}`);
  });

  test('what model check finds in a folder, and names of photos', async () => {
    await using model = await graphFolder({
      output: 'means',
      name: HOSTILE,
      licence: HOSTILE,
      labels: [HOSTILE, 'b', 'c'],
    });
    const { stdout } = await runCommand(['model', 'check', model.path, `${HOSTILE}.jpg`]);
    expectHarmless(stdout);
    const json = await runCommand(['model', 'check', '--json', model.path, `${HOSTILE}.jpg`]);
    expectHarmless(json.stdout);
    expect(JSON.parse(json.stdout)).toMatchObject({ model: { name: HOSTILE } });
  });

  test('errors about a model folder', async () => {
    const place = join(folder.path, `model${HOSTILE}`);
    await mkdir(place);
    expectHarmless((await runCommand(['model', 'check', place])).stderr);
    expectHarmless((await runCommand(['classify', '--model', place, 'a.jpg'])).stderr);
  });

  test('invalid rows of a list, and the name of the list', async () => {
    const list = await folder.write(`${HOSTILE}.txt`, `https://${HOSTILE}/\nnot a URL ${HOSTILE}\n`);
    const { stderr, code } = await runCommand(['enqueue', list, list, '--job', 'cats', '--dry-run'], {
      environment: aws.environment,
    });
    expectHarmless(stderr);
    expect(code).toBe(1);
    expectHarmless((await runCommand(['enqueue', `${list}.gone`], { environment: aws.environment })).stderr);
  });

  test('unknown options and commands', async () => {
    expectHarmless((await runCommand([`--${HOSTILE}`])).stderr);
    expectHarmless((await runCommand([HOSTILE])).stderr);
    expectHarmless((await runCommand(['classify', 'a.jpg', '--top', HOSTILE])).stderr);
  });

  test('settings', async () => {
    const environment = { ...aws.environment, RESULTS_BUCKET: HOSTILE };
    expectHarmless((await runCommand(['status'], { environment })).stderr);
  });

  test('results and failures, on a real terminal; in a pipe they are unchanged', async () => {
    await describeJob(aws.target, [HOSTILE, 'lost']);
    await writeParts(aws.target, 'results', [result(HOSTILE, { [HOSTILE]: 0.9 })]);
    await writeParts(aws.target, 'failures', [failure(`lost${HOSTILE}`)]);
    for (const args of [
      ['results', 'cats'],
      ['results', 'cats', '--format', 'csv'],
      ['failures', 'cats'],
      ['status', 'cats'],
    ]) {
      const { code, screen } = await runOnTerminal(args, aws.environment);
      const drawn = screen.replace(DRAWING, '');
      expect({ args, harm: HARM.exec(drawn), code }).toEqual({ args, harm: null, code: 0 });
      if (args[0] !== 'status') expect(drawn.toLowerCase()).toContain(SHOWN.toLowerCase());
    }
    const piped = await runCommand(['results', 'cats'], { environment: aws.environment });
    expect(piped.stdout).toMatch(/\u202e/);
    expect(JSON.parse(piped.stdout)).toEqual(result(HOSTILE, { [HOSTILE]: 0.9 }));
  }, 60_000);
});

test('a character that is split between chunks is printed as one', async () => {
  const bytes = Buffer.from('é\u202e猫');
  const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
  expect(await textOf(Readable.from(chunks).pipe(visibleStream()))).toBe('é\\u202e猫');
});

/** Anything that writes to the terminal; a text of the whole may be on the next line. */
const WRITES =
  /process\.std(?:out|err)\b(?!\.write\(\s*visibleText\()|\bconsole\.(?:log|info|warn|error|debug)\b|writeSync\([12]\b|\/dev\/(?:tty|std)/g;

test('exactly one file of the command writes to the terminal', async () => {
  const found: string[] = [];
  for (const folder of ['cli', 'local', 'shared', 'functions', 'infra']) {
    for await (const file of glob('**/*.ts', { cwd: join(ROOT, folder) })) {
      if (join(folder, file) === 'cli/terminal/terminal.ts') continue;
      const source = readFileSync(join(ROOT, folder, file), 'utf8');
      found.push(...Array.from(source.matchAll(WRITES), ([write]) => `${folder}/${file}: ${write}`));
    }
  }
  expect(found).toEqual([]);
});
