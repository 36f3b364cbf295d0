import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShippedModel } from './sbom.ts';

/** @param folder of a model, with its `classifier.json` and `SHA256SUMS` */
export function shippedModel(folder: string): ShippedModel {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'classifier.json'), 'utf8'));
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm);
  return {
    name,
    version,
    license: license,
    files: new Map([...sums].map(([, sha256 = '', path = '']) => [path, sha256])),
  };
}
