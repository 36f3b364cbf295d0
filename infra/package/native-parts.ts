import { join } from 'node:path';
import { prepareMissing } from '../../setup/prepare.mjs';
import { projectAt } from '../../setup/project.mjs';
import { SetupError } from '../../setup/tool.mjs';
import type { Architecture } from '../../shared/contract/worker-time.ts';
import { lambdaToolchain } from './lambda-toolchain.ts';
import { PackageError } from './package-error.ts';

/** What a package is made for: one of Lambda's architectures, or this machine alone, with what its setup has made. */
export type PackageTarget = Architecture | 'this machine';

/** What the native parts of a package are taken from. */
export type NativeParts = {
  architecture: Architecture;
  /** As npm names it in packages, such as `linux-arm64`. */
  platform: string;
  /** Folder with the libraries in `lib/`, and their licenses. */
  libtensorflow: string;
  /** The file. */
  binding: string;
  /** Folder with sharp's native packages in `node_modules/`. */
  sharp: string;
  /** Whether all of them must load on Lambda. */
  runsOnLambda: boolean;
};

/** How npm names the platforms of Lambda and EC2. */
export const PLATFORMS: Readonly<Record<Architecture, string>> = { x86_64: 'linux-x64', arm64: 'linux-arm64' };
const BINDING = 'tfjs_binding.node';

/**
 * Fetches and compiles what is not there yet.
 *
 * @param root the project's folder
 * @throws {PackageError} when a tool is missing or fails
 */
export async function nativeParts(root: string, target: PackageTarget): Promise<NativeParts> {
  const here: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const architecture = target === 'this machine' ? here : target;
  const platform = PLATFORMS[architecture];
  if (target === 'this machine') return { architecture, platform, ...ofThisMachine(root), runsOnLambda: false };
  try {
    const { steps, libtensorflow, binding, sharp } = lambdaToolchain(projectAt(root), platform);
    await prepareMissing(projectAt(root), steps);
    return { architecture, platform, libtensorflow, binding: join(binding, BINDING), sharp, runsOnLambda: true };
  } catch (error) {
    if (error instanceof SetupError) throw new PackageError(error.message, { cause: error });
    throw error;
  }
}

function ofThisMachine(root: string): Pick<NativeParts, 'libtensorflow' | 'binding' | 'sharp'> {
  const toolchain = join(root, '.labelqueue/toolchain');
  return {
    libtensorflow: join(toolchain, 'libtensorflow'),
    binding: join(toolchain, 'tfjs-binding', BINDING),
    sharp: root,
  };
}
