import { join } from 'node:path';
import type { Architecture } from '../../shared/contract/worker-time.ts';

const DIST = join(import.meta.dirname, '../../dist');

/** What a package's files are called, without their endings. */
export function packageName(architecture: Architecture): string {
  return architecture === 'arm64' ? 'classify-arm64' : 'classify';
}

/** The zip that `npm run package` makes and that the stack deploys. */
export function packagePath(architecture: Architecture): string {
  return join(DIST, `${packageName(architecture)}.zip`);
}

/** The zip with Node for the instances of a fleet, made beside it where a stage has one. */
export function nodePath(architecture: Architecture): string {
  return join(DIST, `${nodeName(architecture)}.zip`);
}

/** What that zip is called, without its ending. */
export function nodeName(architecture: Architecture): string {
  return architecture === 'arm64' ? 'node-arm64' : 'node-x86_64';
}
