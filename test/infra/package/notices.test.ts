import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { bundleWorker } from '../../../infra/package/bundle.ts';
import { companionsIn } from '../../../infra/package/companions.ts';
import { isLibvips, sharpPackages } from '../../../infra/package/contents.ts';
import { libvipsLibraries } from '../../../infra/package/libvips-libraries.ts';
import { noticesText } from '../../../infra/package/notices.ts';
import { packageWorker, type WorkerPackage } from '../../../infra/package/package-worker.ts';
import { shippedPackages } from '../../../infra/package/shipped-packages.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PLATFORM = `${process.platform}-${process.arch}`;
const WHOLE = join(ROOT, 'node_modules/@img', `sharp-libvips-${PLATFORM}`);

/** As far as these tests read it. */
type Component = {
  type: string;
  name: string;
  group?: string;
  version?: string;
  'bom-ref': string;
  hashes?: { alg: string; content: string }[];
  licenses: object[];
  components?: Component[];
};

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('what the package owes', () => {
  let folder: TemporaryFolder;
  let made: WorkerPackage;
  let packages: string[];
  let notices: string;
  let sbom: string;

  beforeAll(async () => {
    folder = await createTemporaryFolder();
    const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(folder.path, 'dist') };
    made = await packageWorker(folders, 'this machine');
    const metafile = await bundleWorker(ROOT, join(folder.path, 'bundle'));
    packages = [...new Set([...packagesIn(metafile), ...(await sharpPackages(ROOT, PLATFORM, ROOT)).keys()])].sort();
    notices = await entry('THIRD-PARTY-NOTICES.txt');
    sbom = await readFile(made.sbomPath, 'utf8');
  }, 300_000);

  afterAll(async () => {
    await folder[Symbol.asyncDispose]();
  });

  async function entry(name: string): Promise<string> {
    const { from } = made.entries.find((found) => found.name === name) ?? {};
    if (from === undefined) throw new Error(`expected ${name} in the package, got none`);
    return typeof from === 'string' ? readFile(from, 'utf8') : from.toString();
  }

  describe('the notices', () => {
    test('have the license of each npm package in the package', async () => {
      expect(await withoutLicense(packages, notices)).toEqual([]);
      expect(packages).toEqual(expect.arrayContaining(['node_modules/undici', 'node_modules/sharp']));
      expect(packages.length).toBeGreaterThan(60);
    });

    test.each(['node_modules/undici', 'node_modules/@img/colour', 'node_modules/@middy/core', 'node_modules/semver'])(
      'lack %s when its part is taken out: the comparison above would tell',
      async (left) => {
        const { name, version } = await manifestOf(left);
        const parts = notices.split(/^={80}$/m);
        const kept = parts.filter((part) => !part.trimStart().startsWith(`${name} ${version},`));
        expect(kept).toHaveLength(parts.length - 1);
        expect(await withoutLicense(packages, kept.join(''))).toEqual([left]);
      },
    );

    test('name each library in libvips with its version and its license', async () => {
      const versions: Record<string, string> = JSON.parse(await readFile(join(WHOLE, 'versions.json'), 'utf8'));
      const named = libvipsLibraries(WHOLE);
      expect(named.map(({ version }) => version).filter((version) => version !== undefined)).toEqual(
        expect.arrayContaining(Object.values(versions)),
      );
      for (const { name, version, licenses } of named) {
        if (version !== undefined) expect(notices).toContain(`\n${name} ${version}, ${licenses.join(' and ')}\n`);
        for (const id of licenses) expect(notices).toContain(`The text of ${id}\n\n`);
      }
      expect(notices).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
      expect(notices).toContain('GNU GENERAL PUBLIC LICENSE');
    });

    test('include those of TensorFlow, as in its wheel', async () => {
      expect(notices).toContain('TensorFlow (libtensorflow), Copyright The TensorFlow Authors, Apache-2.0');
      expect(await entry('tensorflow/LICENSE')).toContain('Apache License');
      const linked = await entry('tensorflow/THIRD_PARTY_NOTICES.txt');
      expect(linked.length).toBeGreaterThan(100_000);
      expect(linked).toMatch(/LLVM Exceptions/);
    });

    test('include the licenses of the default model, of its labels and of labelqueue', async () => {
      expect(await entry('models/efficientnet-lite0/LICENSE')).toMatch(/Apache License/);
      expect(await entry('models/efficientnet-lite0/labels.LICENSE')).toMatch(/Illia Volkov/);
      expect(await entry('LICENSE')).toBe(await readFile(join(ROOT, 'LICENSE'), 'utf8'));
    });
  });

  describe('the bill of materials', () => {
    const componentsOf = (text: string) => JSON.parse(text).components as Component[];

    test('is a valid CycloneDX 1.6 document', async () => {
      expect(JSON.parse(sbom)).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
      const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
      expect(await validator.validate(sbom)).toBeNull();
      expect(await validator.validate(sbom.replace('"library"', '"libary"'))).not.toBeNull();
    });

    test('lists each npm package with the hash that npm checked, and its license', async () => {
      const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
      const listed = componentsOf(sbom).filter((component) => component['bom-ref'].startsWith('node_modules/'));
      expect(listed.map((component) => component['bom-ref']).sort()).toEqual(packages);
      for (const { 'bom-ref': place, group, name, version, hashes, licenses } of listed) {
        expect([group, name].filter(Boolean).join('/')).toBe((await manifestOf(place)).name);
        expect(version).toBe(lock.packages[place].version);
        expect(`sha512-${Buffer.from(hashes?.[0]?.content ?? '', 'hex').toString('base64')}`).toBe(
          lock.packages[place].integrity,
        );
        expect(licenses).toHaveLength(1);
      }
    });

    test('lists the libraries in libvips, TensorFlow, and the model with the hashes of its files', async () => {
      const components = componentsOf(sbom);
      const libvips = components.find(({ group, name }) => isLibvips(`${group}/${name}`));
      expect(libvips?.components?.map(({ name }) => name)).toEqual(libvipsLibraries(WHOLE).map(({ name }) => name));
      expect(components).toContainEqual(
        expect.objectContaining({
          name: 'libtensorflow',
          version: '2.18.1',
          hashes: [{ alg: 'SHA-256', content: expect.stringMatching(/^[0-9a-f]{64}$/) }],
          licenses: [{ license: { id: 'Apache-2.0' } }],
        }),
      );
      const model = components.find(({ type }) => type === 'machine-learning-model');
      for (const { name, hashes } of model?.components ?? []) {
        const bytes = await readFile(join(ROOT, 'models/efficientnet-lite0', name));
        expect(hashes).toEqual([{ alg: 'SHA-256', content: createHash('sha256').update(bytes).digest('hex') }]);
      }
      expect(model?.components).toHaveLength(3);
    });

    test('names the zip by its hash, and is the same when the same is packaged again', async () => {
      const { component } = JSON.parse(sbom).metadata;
      expect(component.hashes).toEqual([{ alg: 'SHA-256', content: made.sha256 }]);
      const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(folder.path, 'again') };
      const again = await packageWorker(folders, 'this machine');
      expect(await readFile(again.sbomPath, 'utf8')).toBe(sbom);
    });
  });
});

describe('packaging refuses', () => {
  test('a package that names no license', async () => {
    await using project = await projectWith({ name: 'bare', version: '1.0.0' }, { integrity: 'sha512-AAAA' });
    expect(() => shippedPackages(project.path, ['node_modules/bare'])).toThrow(
      'expected "license" in node_modules/bare/package.json, got none',
    );
  });

  test('a package that is not pinned', async () => {
    await using project = await projectWith({ name: 'bare', version: '1.0.0', license: 'MIT' }, {});
    expect(() => shippedPackages(project.path, ['node_modules/bare'])).toThrow(
      'expected a SHA-512 of node_modules/bare in package-lock.json, got none',
    );
  });

  test('a package without a license file whose license has no text', async () => {
    const manifest = { name: 'bare', version: '1.0.0', license: 'SEE LICENSE ELSEWHERE' };
    await using project = await projectWith(manifest, { integrity: 'sha512-AAAA' });
    const packages = shippedPackages(project.path, ['node_modules/bare']);
    expect(() => noticesText({ packages, libraries: [] })).toThrow(
      'expected an SPDX license identifier for bare, got ELSEWHERE',
    );
  });

  test('a library beside TensorFlow’s own whose license is not known, and no other', async () => {
    await using lib = await createTemporaryFolder();
    for (const name of ['libtensorflow_cc.so.2', 'libomp-6196b3b5.so.5']) await lib.write(name, '');
    expect(companionsIn(lib.path, ['libtensorflow_cc.so.2'])).toEqual([
      { name: 'libomp', licenses: 'Apache-2.0 WITH LLVM-exception' },
    ]);
    await lib.write('libnewcomer.so.1', '');
    expect(() => companionsIn(lib.path, ['libtensorflow_cc.so.2'])).toThrow(
      'got libnewcomer.so.1: look up its license',
    );
  });

  test.each([
    ['its list of licenses', '| newcomer | MIT License |\n', { aom: '3' }, /got also newcomer/],
    ['its list of versions', '| aom | BSD 2-Clause |\n', { aom: '3', newcomer: '1' }, /got also newcomer/],
    ['neither list', '', {}, /got also no list at all/],
  ])('a libvips with a library that is not known, in %s', async (_where, rows, versions, message) => {
    await using libvips = await createTemporaryFolder();
    await writeFile(join(libvips.path, 'README.md'), `| Library | Used under the terms of |\n${rows}`);
    await writeFile(join(libvips.path, 'versions.json'), JSON.stringify(versions));
    expect(() => libvipsLibraries(libvips.path)).toThrow(message);
  });
});

/** A project with one package, `bare`. */
async function projectWith(manifest: object, locked: object): Promise<TemporaryFolder> {
  const project = await createTemporaryFolder();
  const bare = join(project.path, 'node_modules/bare');
  await mkdir(bare, { recursive: true });
  await writeFile(join(bare, 'package.json'), JSON.stringify(manifest));
  const lock = { packages: { 'node_modules/bare': locked } };
  await writeFile(join(project.path, 'package-lock.json'), JSON.stringify(lock));
  return project;
}

/** The folders of packages of which esbuild took at least a byte. */
function packagesIn({ outputs }: Metafile): string[] {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return used.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
}

/** Packages whose license is not in the notices: its own text, or where it has none that of SPDX. */
async function withoutLicense(packages: readonly string[], notices: string): Promise<string[]> {
  const missing = await Promise.all(packages.map(async (place) => ((await isIn(notices, place)) ? [] : [place])));
  return missing.flat();
}

async function isIn(notices: string, place: string): Promise<boolean> {
  const { name, version, license } = await manifestOf(place);
  const files = (await readdir(join(ROOT, place))).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, place, file), 'utf8')));
  const named = notices.includes(`\n${name} ${version}, ${license}\n`);
  if (texts.length > 0) return named && texts.every((text) => notices.includes(text.trim()));
  const ids = license.split(/ AND | OR |[()]/).filter(Boolean);
  return named && ids.every((id) => notices.includes(`The text of ${id}\n\n`));
}

async function manifestOf(place: string): Promise<{ name: string; version: string; license: string }> {
  return JSON.parse(await readFile(join(ROOT, place, 'package.json'), 'utf8'));
}
