import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lockedPackages, projectAt } from '../../setup/project.mjs';

const ROOT = join(import.meta.dirname, '../..');
const packages = lockedPackages(projectAt(ROOT));
const entries = Object.entries(packages) as [string, Record<string, unknown>][];

/**
 * npm would install a package without a hash unchecked. It leaves the hash out where it writes an optional package of another
 * platform without asking the registry.
 */
test('package-lock.json pins each package by its SHA-512, those of other platforms too', () => {
  const unpinned = entries
    // The hash of the package above covers what is in its archive.
    .filter(([path, { inBundle }]) => path !== '' && !inBundle)
    .filter(([, { integrity }]) => !String(integrity).startsWith('sha512-'));
  expect(unpinned).toEqual([]);
  expect(entries.length).toBeGreaterThan(700);
});

test('package-lock.json names no registry: each user has an own one', () => {
  expect(entries.filter(([, entry]) => 'resolved' in entry)).toEqual([]);
});

test('Node is an npm package for both architectures, in one exact version', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const platform of ['linux-x64', 'linux-arm64']) {
    const locked = entries.find(([path]) => path === `node_modules/node-${platform}`)?.[1];
    expect(locked).toMatchObject({ version: process.versions.node, optional: true, bin: { node: 'bin/node' } });
    expect(optionalDependencies[`node-${platform}`]).toBe(process.versions.node);
  }
});
