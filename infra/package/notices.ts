import type { LinkedLibrary } from './libvips-libraries.ts';
import type { ShippedPackage } from './shipped-packages.ts';
import { licensesIn, standardText } from './standard-licenses.ts';

/** What is in the package from others, but for TensorFlow and the model, which bring files of their own. */
export type Shipped = { packages: readonly ShippedPackage[]; libraries: readonly LinkedLibrary[] };

/** Sources of others inside a package, which its license does not name. */
const EMBEDDED: ReadonlyMap<string, string> = new Map([
  ['undici', 'It holds llhttp, MIT, Copyright Fedor Indutny, 2018.'],
  ['@tensorflow/tfjs-layers', 'Parts come from Keras, MIT, Copyright François Chollet, Google, Microsoft and others.'],
]);

const HEADER = `What this package holds of others, and and its licenses.

labelqueue itself is licensed under the Apache License 2.0: see LICENSE.
TensorFlow (libtensorflow), Copyright The TensorFlow Authors, Apache-2.0, and what is linked into it: see tensorflow/LICENSE and tensorflow/THIRD_PARTY_NOTICES.txt.
Beside it are, of LLVM, Copyright the LLVM contributors, Apache-2.0 WITH LLVM-exception: the C++ library in tensorflow/tfjs_binding.node, and on arm64 the OpenMP library, tensorflow/libomp-*.so. The text is in tensorflow/THIRD_PARTY_NOTICES.txt, too.
The default model, EfficientNet-Lite0, and its labels: see LICENSE and labels.LICENSE in models/efficientnet-lite0/.
All others are listed here. The SPDX license texts are at the end.`;

const RULE = `\n${'='.repeat(80)}\n`;

/**
 * THIRD-PARTY-NOTICES.txt: each package and library with what its license asks to be passed on.
 *
 * @throws {import('./package-error.ts').PackageError} when a license has no text
 */
export function noticesText({ packages, libraries }: Shipped): string {
  const named = [...packages, ...libraries].flatMap((owner) =>
    licensesOwed(owner).map((id) => [id, owner.name] as const),
  );
  const standard = [...new Map(named)].sort();
  return [
    HEADER,
    ...packages.map(noticeOf),
    librariesNotice(libraries),
    ...standard.map(([id, owner]) => `The text of ${id}\n\n${standardText(id, owner)}\n`),
  ].join(RULE);
}

/** The licenses of which the texts have to be taken from SPDX. */
function licensesOwed(owner: ShippedPackage | LinkedLibrary): readonly string[] {
  if ('licenses' in owner) return owner.licenses;
  const { name, license, texts } = owner;
  return texts.length === 0 || EMBEDDED.has(name) ? licensesIn(license) : [];
}

function noticeOf({ name, version, license, texts, author, readme }: ShippedPackage): string {
  const own = texts.length > 0 ? texts : [author && `Author: ${author}`, readme];
  return [`${name} ${version}, ${license}`, EMBEDDED.get(name), ...own, '']
    .filter((part) => part !== undefined)
    .join('\n\n');
}

function librariesNotice(libraries: readonly LinkedLibrary[]): string {
  const rows = libraries.map(
    ({ name, version = 'without a version', licenses, copyright, terms }) =>
      `${name} ${version}, ${licenses.join(' and ')}\n  Copyright ${copyright}\n  ${terms}\n`,
  );
  return `The libraries that are linked into libvips\n\n${rows.join('\n')}
Their sources, and how this binary is built of them: https://github.com/lovell/sharp-libvips
The binary is a shared library, libvips-cpp.so: another build of it can take its place.
`;
}
