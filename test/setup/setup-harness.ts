import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const MACHINE = `${process.platform}-${process.arch}`;
/** Copied into each harness: the setup, and what it compiles. */
const PARTS = ['setup', 'bin', 'shared/runtime/quiet-tensorflow.cc'];
/** What the shell scripts use of the system. */
const SYSTEM_TOOLS = ['cksum', 'readlink', 'tr'];
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

export interface Ending {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Of the harness's package-lock.json, unless a test says otherwise. */
export const PACKAGES = {
  '@tensorflow/tfjs-node': { integrity: 'sha512-A' },
  'node-api-headers': { integrity: 'sha512-B' },
};

/** What each finished step prints, but for its time. */
export const STEP_LINES = [
  'setup: npm packages (…)',
  'setup: libtensorflow 2.18.1 (…)',
  `setup: TensorFlow binding for ${MACHINE} (…)`,
];

/**
 * The setup, the real one, in a project of its own. Its PATH holds tools that do in no time what the
 * real ones do, and nothing else of this machine; `calls()` returns which were used.
 */
export class SetupHarness {
  readonly folder = mkdtempSync(join(tmpdir(), 'labelqueue-setup-'));
  readonly root = join(this.folder, 'project');
  readonly toolchain = join(this.root, '.labelqueue', 'toolchain');

  constructor() {
    for (const part of PARTS) cpSync(join(REPOSITORY, part), join(this.root, part), { recursive: true });
    this.write('project/package.json', JSON.stringify({ type: 'module' }));
    this.lock(PACKAGES);
    for (const name of Object.keys(PACKAGES)) this.publish(name, { 'package.json': '{}' });
    this.publish('.bin', { node: `#!/bin/sh\nexec '${process.execPath}' "$@"\n` });
    this.tool('npm', NPM);
    this.write('tools/node', `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    chmodSync(join(this.folder, 'tools/node'), 0o755);
    for (const name of SYSTEM_TOOLS) symlinkSync(`/usr/bin/${name}`, join(this.folder, 'tools', name));
    this.tool('python3', PYTHON_WITH_PIP);
    this.tool('g++', COMPILER);
    this.wheel({});
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content);
  }

  /** Puts a shell script on PATH that has the harness's folder in `$harness` and the real Python in `$python`. */
  tool(name: string, script: string): void {
    this.write(
      `tools/${name}`,
      `#!/bin/sh
      PATH=/usr/bin:/bin harness='${this.folder}' python='${PYTHON}'
      echo "${name} $*" >> "$harness/calls"
      ${script}`,
    );
    chmodSync(join(this.folder, 'tools', name), 0o755);
  }

  /** Lets a tool be found, and fail with this output when it is used. */
  failingTool(name: string, output: string): void {
    this.tool(name, `case "$*" in *--version|*import*) exit 0 ;; esac\ncat >&2 <<'OUTPUT'\n${output}\nOUTPUT\nexit 1`);
  }

  removeTool(name: string): void {
    rmSync(join(this.folder, 'tools', name));
  }

  /** The packages of package-lock.json. */
  lock(packages: Record<string, object>): void {
    const entries = Object.entries(packages).map(([name, entry]) => [`node_modules/${name}`, entry]);
    this.write('project/package-lock.json', JSON.stringify({ packages: Object.fromEntries(entries) }));
  }

  /** Makes a package known to the harness's npm. */
  publish(name: string, files: Record<string, string>): void {
    for (const [file, content] of Object.entries(files)) {
      this.write(`registry/${name}/${file}`, content);
      chmodSync(join(this.folder, 'registry', name, file), 0o755);
    }
  }

  /**
   * Makes the wheel that pip will find, and writes the harness's pins.
   *
   * @param options.content what the library in the wheel begins with
   * @param options.megabytes how much more there is of it
   * @param options.pinned the hash to pin in the place of the right one
   */
  wheel(options: { content?: string; megabytes?: number; pinned?: string }): void {
    const { content = 'library', megabytes = 0 } = options;
    const file = join(this.folder, 'wheels', 'tensorflow_cpu-2.18.1-cp312-cp312-manylinux_2_17_x86_64.whl');
    mkdirSync(dirname(file), { recursive: true });
    execFileSync(PYTHON, ['-c', WRITE_WHEEL, file, content, `${megabytes}`]);
    const sha256 = options.pinned ?? createHash('sha256').update(readFileSync(file)).digest('hex');
    const pins = {
      wheel: { package: 'tensorflow-cpu', version: '2.18.1', tag: 'manylinux_2_17_x86_64', sha256 },
      libraries: ['libtensorflow_cc.so.2'],
      zig: { package: 'ziglang', version: '9.9.9', tag: 'harness-zig', sha256: '' },
    };
    this.write(
      'project/setup/pinned.mjs',
      `export const HERE = '${MACHINE}';
      export const GLIBC_VERSION = '2.28';
      export const platformNamed = () => (${JSON.stringify(pins)});`,
    );
  }

  /** Lets pip find a Zig, version 9.9.9, that compiles to one line. */
  publishZig(): void {
    const file = join(this.folder, 'zig', 'ziglang-9.9.9-py3-none-any.whl');
    mkdirSync(dirname(file), { recursive: true });
    execFileSync(PYTHON, ['-c', WRITE_ZIG_WHEEL, file]);
  }

  /** What the tools were called with, without the calls that only ask whether they are there. */
  calls(): string[] {
    const file = join(this.folder, 'calls');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    return lines.filter((line) => !/--version$|fcntl/.test(line)).map((line) => line.split(' ').slice(0, 4).join(' '));
  }

  forgetCalls(): void {
    rmSync(join(this.folder, 'calls'), { force: true });
  }

  /** In a process group of its own. */
  start(args: string[], { entry = 'setup/node', cwd = this.root, env = {} } = {}): ChildProcess {
    return spawn(join(this.root, entry), args, {
      cwd,
      env: { PATH: join(this.folder, 'tools'), HOME: this.folder, PIP_NO_INDEX: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  }

  /** Runs to the end; times in what is printed are replaced. */
  run(args: string[], options: { entry?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ending> {
    return ending(this.start(args, options));
  }
}

export function ending(child: ChildProcess): Promise<Ending> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr: stderr.replaceAll(/\d+\.\d s\)/g, '…)') }));
  });
}

const NPM = `
  [ "$1" = ci ] || exit 0
  mkdir node_modules
  cp -R "$harness/registry/." node_modules`;

const PYTHON_WITH_PIP = `
  case "$*" in
    *--platform=harness-zig*) cp -R "$harness/zig" wheels ;;
    *download*) cp -R "$harness/wheels" wheels ;;
    *unpack.py* | *flock*) exec "$python" "$@" ;;
  esac`;

/** Goes by any name: \`ccache g++\` is called the same way. */
export const COMPILER = `
  while [ $# -gt 1 ]; do
    [ "$1" = -o ] && echo binding > "$2"
    shift
  done
  exit 0`;

const WRITE_WHEEL = `
import sys, zipfile
file, content, megabytes = sys.argv[1:]
with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
    wheel.writestr("tensorflow/libtensorflow_cc.so.2", content + "\\0" * (int(megabytes) << 20))
    for header in ["tensorflow/c/c_api.h", "tensorflow/core/platform/ctstring.h", "tsl/platform/ctstring.h", "xla/tsl/c/tsl_status.h"]:
        wheel.writestr("tensorflow/include/" + header, "header")
    wheel.writestr("tensorflow/THIRD_PARTY_NOTICES.txt", "notices")
    wheel.writestr("tensorflow/include/LICENSE", "licence")
    info = "tensorflow_cpu-2.18.1.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tensorflow-cpu\\nVersion: 2.18.1\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: false\\nTag: cp312-cp312-manylinux_2_17_x86_64\\n")
    wheel.writestr(info + "RECORD", "")
`;

const WRITE_ZIG_WHEEL = `
import sys, zipfile
zig = """#!/bin/sh
while [ $# -gt 1 ]; do
  [ "$1" = -o ] && echo by zig > "$2"
  shift
done
"""
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    program = zipfile.ZipInfo("ziglang/zig")
    program.external_attr = 0o755 << 16
    wheel.writestr(program, zig)
    wheel.writestr("ziglang/LICENSE", "licence")
    for part in "c include libcxx libunwind std ubsan_rt.zig".split():
        wheel.writestr("ziglang/lib/" + part + ("" if "." in part else "/file"), "")
    for part in "glibc include/aarch64-linux include/any-linux include/generic-glibc include/x86-linux include/x86_64-linux".split():
        wheel.writestr("ziglang/lib/libc/" + part + "/file", "")
`;
