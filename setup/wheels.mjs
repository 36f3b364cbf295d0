// @ts-check

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HERE, platformNamed } from './pinned.mjs';
import { runTool, SetupError } from './tool.mjs';
import { pipEnvironment } from './tool-environment.mjs';

/** @typedef {import('./prepare.mjs').Step} Step */
/** @typedef {import('./project.mjs').Project} Project */
/** @typedef {Omit<Step, 'stamp' | 'make'> & { wheel: import('./pinned.mjs').Wheel, parts: string[] }} WheelParts */

const UNPACK = fileURLToPath(new URL('unpack.py', import.meta.url));

/** Parts of wheels: the beginning of names, and what takes its place. The headers are those that the binding includes. */
const TENSORFLOW_PARTS = [
  'tensorflow/libtensorflow_=lib/libtensorflow_',
  'tensorflow.libs/=lib/',
  'tensorflow/include/tensorflow/c/=include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring=include/tensorflow/core/platform/ctstring',
  'tensorflow/include/tsl/platform/ctstring=include/tsl/platform/ctstring',
  'tensorflow/include/xla/tsl/c/=include/xla/tsl/c/',
  // The licences of TensorFlow and of what is linked into it: anyone who passes the libraries on owes them.
  'tensorflow/include/LICENSE=LICENSE',
  'tensorflow/THIRD_PARTY_NOTICES.txt=THIRD_PARTY_NOTICES.txt',
];

/** What is needed of Zig for Linux with glibc: a fifth of its files. */
const ZIG_PARTS = ['zig', 'LICENSE', 'lib/c', 'lib/include/', 'lib/libc/glibc/', 'lib/libc/include/aarch64-linux']
  .concat(['any-linux', 'generic-glibc/', 'x86-linux', 'x86_64-linux'].map((part) => `lib/libc/include/${part}`))
  .concat('lib/libcxx', 'lib/libunwind/', 'lib/std/', 'lib/ubsan_rt.zig')
  .map((part) => `ziglang/${part}=${part}`);

/**
 * TensorFlow's C library, from the wheel that Python users install: `lib/`, `include/` and the licences.
 *
 * @type {(project: Project, platform: string) => Step}
 * @throws {SetupError} on a platform where labelqueue does not run
 */
export function libtensorflow({ toolchain }, platform) {
  const { wheel } = platformNamed(platform);
  const place = join(toolchain, 'libtensorflow');
  return wheelParts({ title: `libtensorflow ${wheel.version}`, place, wheel, parts: TENSORFLOW_PARTS, bytes: 1.2e9 });
}

/**
 * The Zig compiler, which compiles C++ too: `zig` and `lib/`.
 *
 * @type {(project: Project) => Step}
 * @throws {SetupError} on a machine that packages are not made on
 */
export function zig({ toolchain }) {
  const { zig: wheel } = platformNamed(HERE);
  if (!wheel) throw new SetupError(`packages are made on Linux, not on ${HERE}.`);
  const step = { title: `Zig ${wheel.version}`, place: join(toolchain, 'zig'), bytes: 450e6 };
  return wheelParts({ ...step, wheel, parts: ZIG_PARTS });
}

/** Parts of a wheel, which pip fetches and checks by its hash. @type {(options: WheelParts) => Step} */
function wheelParts({ wheel, parts, ...step }) {
  const { package: name, version, tag, sha256 } = wheel;
  // The wheel is taken for its files, so the Python here may be of any version.
  const target = ['--only-binary=:all:', '--python-version=3.12', '--implementation=cp', `--platform=${tag}`];
  const quiet = ['--no-input', '--progress-bar=off', '--disable-pip-version-check', '--retries=3'];
  const pinned = ['--no-deps', '--require-hashes', '--requirement=requirements.txt', '--dest=wheels'];
  const download = ['python3', '-m', 'pip', 'download', ...pinned, ...target, ...quiet];
  return {
    ...step,
    stamp: { package: name, version, tag, sha256, parts },
    async make(staging) {
      await writeFile(join(staging, 'requirements.txt'), `${name}==${version} --hash=sha256:${sha256}\n`);
      // pip writes to TMPDIR while it downloads: not to a small /tmp.
      const env = { ...pipEnvironment(process.env), TMPDIR: staging };
      await runTool(download, { failure: `pip could not fetch ${name} ${version}`, cwd: staging, env });
      const unpack = ['python3', UNPACK, 'wheels', 'made', ...parts];
      await runTool(unpack, { failure: `python3 could not unpack ${name} ${version}`, cwd: staging });
      return join(staging, 'made');
    },
  };
}
