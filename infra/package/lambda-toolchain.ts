import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tfjsBinding, zigCompiler } from '../../setup/binding.mjs';
import { npmCi } from '../../setup/npm.mjs';
import { HERE } from '../../setup/pinned.mjs';
import { prepareMissing, type Step } from '../../setup/prepare.mjs';
import { lockedPackages, type Project } from '../../setup/project.mjs';
import { SetupError } from '../../setup/tool.mjs';
import { libtensorflow, zig } from '../../setup/wheels.mjs';

/** What the native parts of a package are taken from. */
export type LambdaToolchain = {
  /** All that the setup has not made, in the order in which they build on each other. */
  steps: Step[];
  /** Folder with `lib/` and the licenses. */
  libtensorflow: string;
  /** Folder with `tfjs_binding.node`. */
  binding: string;
  /** Folder with sharp's native packages in `node_modules/`. */
  sharp: string;
};

/**
 * What a package for Lambda is made from, beside the setup of this machine. For this machine's architecture that is the
 * binding alone, for another one TensorFlow and sharp as well.
 *
 * @param platform `linux-x64` or `linux-arm64`
 * @throws {SetupError} on a machine that packages are not made on
 */
export function lambdaToolchain(project: Project, platform: string): LambdaToolchain {
  const folder = join(project.toolchain, 'lambda', platform);
  const isHere = platform === HERE;
  const zigStep = zig(project);
  const ofPlatform = libtensorflow(project, platform);
  const tensorflow = isHere ? ofPlatform : { ...ofPlatform, place: join(folder, 'libtensorflow') };
  const compiler = zigCompiler(project, platform);
  const binding = tfjsBinding(project, { platform, tensorflow, compiler });
  const forLambda = {
    ...binding,
    place: join(folder, 'tfjs-binding'),
    stamp: { ...binding.stamp, compiler: compiler.slice(1), zig: JSON.stringify(zigStep.stamp) },
  };
  const names = [`@img/sharp-${platform}`, `@img/sharp-libvips-${platform}`];
  const sharp = packagesStep(project, { names, title: `sharp for ${platform}`, place: join(folder, 'sharp') });
  return {
    steps: [zigStep, tensorflow, forLambda, ...(isHere ? [] : [sharp])],
    libtensorflow: tensorflow.place,
    binding: forLambda.place,
    sharp: isHere ? project.root : sharp.place,
  };
}

/**
 * The pinned Node of a platform, fetched unless it is this machine's: what machines run on that this one makes packages for.
 *
 * @param platform `linux-x64` or `linux-arm64`
 * @returns the folder with `bin/node` and the license
 * @throws {SetupError} when it cannot be fetched
 */
export async function nodeFor(project: Project, platform: string): Promise<string> {
  const name = `node-${platform}`;
  if (platform === HERE) return join(project.nodeModules, name);
  const place = join(project.toolchain, 'lambda', platform, 'node');
  await prepareMissing(project, [packagesStep(project, { names: [name], title: `Node for ${platform}`, place })]);
  return join(place, 'node_modules', name);
}

/** Packages of package-lock.json for another machine than this one: `node_modules/`. */
function packagesStep(
  project: Project,
  { names, title, place }: { names: readonly string[]; title: string; place: string },
): Step {
  const pinned = names.map((name) => pinnedPackage(project, name));
  return {
    title,
    place,
    stamp: { packages: pinned.map(({ integrity }) => integrity) },
    bytes: 300e6,
    async make(staging) {
      const made = join(staging, 'packages');
      await mkdir(made);
      await installPinned(made, pinned, `npm could not fetch ${title}`);
      return made;
    },
  };
}

export type PinnedPackage = { name: string; version: string; integrity: string };

/** @throws {SetupError} when the lock file lacks it */
function pinnedPackage(project: Project, name: string): PinnedPackage {
  const { version, integrity } = lockedPackages(project)[`node_modules/${name}`] ?? {};
  if (version && integrity) return { name, version, integrity };
  throw new SetupError(`package-lock.json: expected ${name} with its version and hash, it is not there.`);
}

/**
 * Installs packages into `node_modules` of a folder, whatever platform they are for, and nothing that they depend on. npm
 * checks a package against the hash in a lock file, so one is written for it.
 *
 * @param failure what to say when it fails
 * @throws {SetupError}
 */
export async function installPinned(folder: string, pinned: readonly PinnedPackage[], failure: string): Promise<void> {
  const dependencies = Object.fromEntries(pinned.map(({ name, version }) => [name, version]));
  const packages = pinned.map(({ name, ...locked }) => [`node_modules/${name}`, locked]);
  const lock = { lockfileVersion: 3, packages: { '': { dependencies }, ...Object.fromEntries(packages) } };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  // npm knows --cpu and --os since version 10 only.
  await npmCi(folder, failure, '--force');
}
