import { join } from 'node:path';
import type { Architecture } from '../shared/contract/worker-time.ts';

const DIST = join(import.meta.dirname, '../dist');

/** What a package's files are called, without their endings. */
export function packageName(architecture: Architecture): string {
  return architecture === 'arm64' ? 'classify-arm64' : 'classify';
}

/** The zip that `npm run package` makes and that the stack deploys. */
export function packagePath(architecture: Architecture): string {
  return join(DIST, `${packageName(architecture)}.zip`);
}
