import type { ShippedPackage } from '../../infra/package/shipped-packages.ts';
import { licensesIn, standardText } from '../../infra/package/standard-licenses.ts';

const HEADER = `What the bundle of this package (lib/, vendor/) holds of others, and and its licenses.

labelqueue itself is licensed under the Apache License 2.0: see LICENSE.
The default model, EfficientNet-Lite0, and its labels: see project/models/efficientnet-lite0/LICENSE and labels.LICENSE.
The sample photos: see project/samples/LICENSES.md.
Packages that are fetched at their first use come with their own licenses.`;

const RULE = `\n${'='.repeat(80)}\n`;

/** THIRD-PARTY-NOTICES.txt: each bundled package with what its license asks to be passed on. */
export function bundleNotices(packages: readonly ShippedPackage[]): string {
  return [HEADER, ...packages.map(noticeOf)].join(RULE);
}

function noticeOf({ name, version, license, texts, author, readme }: ShippedPackage): string {
  const without = [
    author && `Author: ${author}`,
    readme,
    ...licensesIn(license).map((id) => standardText(id, name)),
  ].filter((text) => text !== undefined);
  return [`${name} ${version}, ${license}`, ...(texts.length > 0 ? texts : without), ''].join('\n\n');
}
