import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readPackageLock, unpinnedPackages } from '../../setup/package-lock.mjs';
import { PACKAGES, SetupHarness } from './setup-harness.ts';

const LOCK = join(import.meta.dirname, '../../package-lock.json');

describe('package-lock.json', () => {
  test('pins each package by its SHA-512, including those of other platforms', () => {
    const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'));
    expect(unpinnedPackages({ packages })).toEqual([]);
    expect(Object.keys(packages).length).toBeGreaterThan(700);
  });

  test('names no registry: each user may have their own', () => {
    const { packages } = readPackageLock(LOCK);
    const named = Object.entries(packages).filter(([, entry]) => 'resolved' in entry);
    expect(named).toEqual([]);
  });
});

describe('set-up', () => {
  let harness: SetupHarness;

  beforeEach(() => {
    harness = new SetupHarness();
  });

  afterEach(() => {
    harness.remove();
  });

  test.each([
    ['no hash', { optional: true, os: ['win32'], cpu: ['x64'] }],
    ['a SHA-1', { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
  ])('refuses a package that has %s, before any tool is started', async (_what, entry) => {
    harness.lock({ ...PACKAGES, 'binding-of-another-platform': entry });

    const { exitCode, stderr } = await harness.run(['-e', '']);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('which these lack:\n\n  node_modules/binding-of-another-platform\n\nRemove these entries');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(harness.calls()).toEqual([]);
  });

  test.each([
    ['lies in the archive of another', { inBundle: true }],
    ['is a folder of the checkout', { link: true }],
  ])('accepts a package without a hash that %s', async (_what, entry) => {
    harness.lock({ ...PACKAGES, 'without-a-hash': entry });

    expect((await harness.run(['-p', '1'])).stdout).toBe('1\n');
  });
});
