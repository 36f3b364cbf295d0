import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lambdaToolchain } from '../../infra/package/lambda-toolchain.ts';
import { HERE } from '../../setup/pinned.mjs';
import { projectAt } from '../../setup/project.mjs';
import { setupSteps } from '../../setup/setup.mjs';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROJECT = projectAt(ROOT);
const ELSEWHERE = HERE === 'linux-arm64' ? 'linux-x64' : 'linux-arm64';

const testOnLinux = process.platform === 'linux' ? test : test.skip;

testOnLinux('a package for this machine’s architecture takes TensorFlow and sharp from the setup', () => {
  const { steps, libtensorflow, sharp } = lambdaToolchain(PROJECT, HERE);
  expect(steps.map(({ title }) => title.split(' ')[0])).toEqual(['Zig', 'libtensorflow', 'TensorFlow']);
  expect({ libtensorflow, sharp }).toEqual({
    libtensorflow: join(PROJECT.toolchain, 'libtensorflow'),
    sharp: PROJECT.root,
  });
});

testOnLinux('nothing for a package takes the place of what the setup has made', () => {
  const own = new Map(setupSteps(PROJECT).map(({ place, stamp }) => [place, stamp]));
  for (const platform of [HERE, ELSEWHERE]) {
    for (const { place, stamp } of lambdaToolchain(PROJECT, platform).steps) {
      if (own.has(place)) expect(stamp).toEqual(own.get(place));
      else expect(place).toMatch(/\.labelqueue\/toolchain\/(zig$|lambda\/)/);
    }
  }
});

testOnLinux('a package for the other architecture is fetched and compiled beside the setup', () => {
  const { steps } = lambdaToolchain(PROJECT, ELSEWHERE);
  const own = setupSteps(PROJECT).map(({ place }) => place);
  expect(steps).toHaveLength(4);
  expect(steps.filter(({ place }) => own.includes(place))).toEqual([]);
});

testOnLinux('the two bindings are made with different arguments', () => {
  const [here, elsewhere] = [HERE, ELSEWHERE].map((platform) => lambdaToolchain(PROJECT, platform).steps[2]?.stamp);
  expect(here?.['compiler']).not.toEqual(elsewhere?.['compiler']);
  expect(here?.['arguments']).not.toEqual(elsewhere?.['arguments']);
});

testOnLinux('a lock file without sharp for the other architecture is named', async () => {
  await using folder = await createTemporaryFolder();
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  delete lock.packages[`node_modules/@img/sharp-${ELSEWHERE}`];
  await writeFile(join(folder.path, 'package-lock.json'), JSON.stringify(lock));
  await mkdir(join(folder.path, 'shared'));
  await cp(join(ROOT, 'shared/runtime'), join(folder.path, 'shared/runtime'), { recursive: true });
  expect(() => lambdaToolchain(projectAt(folder.path), ELSEWHERE)).toThrow(
    `expected @img/sharp-${ELSEWHERE} with its version and hash`,
  );
});
