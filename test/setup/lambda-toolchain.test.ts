import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { lambdaToolchain } from '../../setup/lambda-toolchain.mjs';
import { ZIG_WHEELS } from '../../setup/pinned-zig.mjs';
import { projectAt } from '../../setup/project.mjs';
import { sharpBinaries } from '../../setup/steps/sharp-binaries.mjs';
import { zig } from '../../setup/steps/zig.mjs';
import { setUpOf } from '../../setup/steps.mjs';

const PROJECT = projectAt(fileURLToPath(new URL('../..', import.meta.url)));
const HERE = `${process.platform}-${process.arch}`;
const ELSEWHERE = HERE === 'linux-arm64' ? 'linux-x64' : 'linux-arm64';

test.each(Object.entries(ZIG_WHEELS))('Zig for %s is pinned by hash', (_platform, wheel) => {
  expect(wheel).toMatchObject({ package: 'ziglang', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(wheel.bytes).toBeGreaterThan(1e6);
});

const testOnLinux = process.platform === 'linux' ? test : test.skip;

testOnLinux('a package for this machine’s architecture takes TensorFlow and sharp from the set-up', () => {
  const { steps, libtensorflow, sharp } = lambdaToolchain(PROJECT, HERE);
  expect(steps.map(({ title }) => title.split(' ')[0])).toEqual(['Zig', 'libtensorflow', 'TensorFlow']);
  expect({ libtensorflow, sharp }).toEqual({
    libtensorflow: join(PROJECT.toolchain, 'libtensorflow'),
    sharp: PROJECT.root,
  });
});

testOnLinux('nothing for a package takes the place of what the set-up has made', () => {
  const own = new Map(setUpOf(PROJECT).steps.map(({ place, stamp }) => [place, stamp]));
  for (const platform of [HERE, ELSEWHERE]) {
    for (const { place, stamp } of lambdaToolchain(PROJECT, platform).steps) {
      if (own.has(place)) expect(stamp).toEqual(own.get(place));
      else expect(place).toMatch(/\.labelqueue\/toolchain\/(zig$|lambda\/)/);
    }
  }
});

testOnLinux('a package for the other architecture is fetched and compiled beside the set-up', () => {
  const { steps } = lambdaToolchain(PROJECT, ELSEWHERE);
  const own = setUpOf(PROJECT).steps.map(({ place }) => place);
  expect(steps).toHaveLength(4);
  expect(steps.filter(({ place }) => own.includes(place))).toEqual([]);
});

test('a machine on which no package can be built is named', () => {
  expect(() => zig({ project: PROJECT, platform: 'darwin-arm64' })).toThrow(
    'packages are made on linux-x64, linux-arm64; this Node is for darwin-arm64.',
  );
});

test('a lock file without sharp for the other architecture is named', () => {
  const lock = { sha256: '', packages: {} };
  expect(() => sharpBinaries({ lock, platform: 'linux-arm64', place: '/place', node: '/node' })).toThrow(
    'expected @img/sharp-linux-arm64 with its version and hash',
  );
});
