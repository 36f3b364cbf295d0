import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { readImageFile } from '../../cli/image-file.ts';
import { counted } from '../../cli/terminal/counted.ts';
import { failureHintsOf } from '../../cli/terminal/failure-hints.ts';
import { checkOutput } from '../../cli/terminal/output-file.ts';
import { quoted } from '../../cli/terminal/shell-text.ts';
import { CommandError, expectedFailureText, failureText } from '../../cli/terminal/user-errors.ts';
import { StateFolderError } from '../../local/state-folder-error.ts';
import { UserError } from '../../shared/contract/user-error.ts';
import { ofFile } from '../../shared/runtime/file-failure.ts';
import { SettingsError } from '../../shared/settings.ts';
import { runCommand } from '../support/command.ts';

test.each([new CommandError('what to do'), new SettingsError('what to do'), new StateFolderError('what to do')])(
  'what a person can do something about is its message alone: %p',
  (error) => {
    expect(error).toBeInstanceOf(UserError);
    expect(failureText(error)).toBe('what to do');
  },
);

test('an unexpected error is reported as a bug, with what to do and the details to report', () => {
  const text = failureText(new TypeError('x is not a function'));
  expect(text).toMatch(
    /^this is a bug in labelqueue: please report it .*with the text below\n\nlabelqueue \d.*, Node v/,
  );
  expect(text).toContain('TypeError: x is not a function\n    at ');
});

describe('errors of files are one line', () => {
  test.each([
    ['ENOENT', 'no such file or folder'],
    ['EROFS', 'the disk is read-only'],
    ['ENOSPC', 'no space left on the disk'],
    ['EACCES', 'permission denied'],
    ['ENOTDIR', 'a part of the path is not a folder'],
    // One that nobody has thought of.
    ['EXDEV', 'EXDEV'],
  ])('of %s', (code, meaning) => {
    const error = Object.assign(new Error('open'), { code, syscall: 'open', path: '/some/file' });
    expect(expectedFailureText(error)).toBe(`/some/file: ${meaning}`);
  });

  test('with the file name that only the caller knows', () => {
    const error = Object.assign(new Error('write'), { code: 'ENOSPC', syscall: 'write' });
    expect(() => ofFile('my.csv')(error)).toThrow(error);
    expect(expectedFailureText(error)).toBe('my.csv: no space left on the disk');
  });

  test('even when the file name contains line feeds', async () => {
    const error = await readFile('gone\nlabelqueue: all is well').catch((error: unknown) => error);
    expect(expectedFailureText(error)).toBe('gone\\u000alabelqueue: all is well: no such file or folder');
  });
});

test('an address that is not allowed is reported with the option that allows it', async () => {
  const { stderr } = await runCommand(['classify', 'http://127.0.0.1:1/a.jpg', 'http://127.0.0.1:1/b.jpg']);
  expect(stderr.match(/--allow-host/g)).toHaveLength(1);
  expect(stderr).toContain(
    'address_not_allowed: to fetch from a server of your own network, --allow-host 127.0.0.1:1\n',
  );
});

test('the option names a host only when it is the refused one', () => {
  const refused = (url: string, host: string) => ({
    url,
    failure: { code: 'address_not_allowed', message: `expected a public host: ${host} is not a public address` },
  });
  expect(failureHintsOf([refused('https://[::1]/a.jpg', '::1')])).toContain("--allow-host '[::1]:443'\n");
  expect(failureHintsOf([refused('https://example.com/a.jpg', '10.0.0.1')])).toContain('--allow-host HOST:PORT\n');
});

test.each([
  ['a model folder that is missing', ['classify', '--model', 'nomodel', 'a.jpg'], 'labelqueue: no folder nomodel\n'],
  ['one to check', ['model', 'check', 'nomodel'], 'labelqueue: no folder nomodel\n'],
])('%s is named as it was typed', async (_what, args, text) => {
  expect(await runCommand(args)).toEqual({ code: 1, stdout: '', stderr: text });
});

test('a path in a missing folder is refused with what to do first', async () => {
  const refusal = checkOutput({ path: 'nodir/x.csv', force: false });
  await expect(refusal).rejects.toThrow(/^no folder nodir: make it first$/);
});

test('a folder in place of an image is reported with what to write instead', async () => {
  const folder = import.meta.dirname;
  expect(await readImageFile(`${folder}/`)).toMatchObject({
    message: `expected a file, got a folder; for a folder: ${folder}/*.jpg, or enqueue ${folder}`,
  });
});

test('the number 1 takes the singular, all others the plural', () => {
  expect([0, 1, 2].map((count) => counted(count, 'image'))).toEqual(['0 images', '1 image', '2 images']);
});

test('a quoted word passes a shell unchanged', () => {
  expect(quoted('--out=my.csv')).toBe('--out=my.csv');
  expect(quoted('it\'s "$HOME"')).toBe(`'it'\\''s "$HOME"'`);
  expect(quoted('')).toBe("''");
});
