import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';

const ROOT = join(import.meta.dirname, '../..');
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

/** The text of all code that can fail an image, but for the list itself. */
async function sources(): Promise<string> {
  const texts: string[] = [];
  for (const folder of ['shared', 'functions']) {
    for (const file of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!file.endsWith('.ts') || file.endsWith('error-codes.ts')) continue;
      texts.push(await readFile(join(ROOT, folder, file), 'utf8'));
    }
  }
  return texts.join('\n');
}

test('every code of the list can occur', async () => {
  const text = await sources();
  expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

test('permanent errors are not retried, transient ones are', () => {
  expect(codes.filter((code) => ERROR_CODES[code].retryable).sort()).toEqual([
    'connection_failed',
    'inference_failed',
    'internal_error',
    'name_not_resolved',
    'rate_limited',
    'server_error',
    'timeout',
  ]);
});

test('each code has its meaning in words', () => {
  for (const code of codes) {
    expect(code).toMatch(/^[a-z_]+$/);
    expect(ERROR_CODES[code].meaning).toMatch(/\w+ \w+/);
    expect(['fetch', 'decode', 'infer', 'worker']).toContain(ERROR_CODES[code].stage);
  }
});

describe('an image error', () => {
  test.each(codes)('%s reports the stage of its code and whether it may be retried', (code) => {
    const { stage, retryable } = ERROR_CODES[code];
    expect(new ImageFailure(code, 'expected this, got that').report()).toEqual({
      code,
      stage,
      message: 'expected this, got that',
      retryable,
    });
  });
});
