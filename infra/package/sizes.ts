import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { PackageError } from './package-error.ts';
import type { WorkerPackage } from './package-worker.ts';
import type { Entry } from './zip.ts';

/** AWS Lambda's limit on a function's code, unzipped, with its layers: 250 MiB. */
export const MAX_UNZIPPED_BYTES = 250 * 1024 * 1024;

const PARTS: readonly [title: string, prefix: string][] = [
  ['TensorFlow, compressed', 'tensorflow/'],
  ['sharp', 'node_modules/'],
  ['model', 'models/'],
  ['code', ''],
];

/** @throws {PackageError} when Lambda would not take the package */
export function assertFitsLambda(entries: readonly Entry[]): void {
  const bytes = sum(entries);
  if (bytes <= MAX_UNZIPPED_BYTES) return;
  throw new PackageError(
    `expected at most ${megabytes(MAX_UNZIPPED_BYTES)} unzipped, which is Lambda's limit, got ${megabytes(bytes)}:\n` +
      partsText(entries).join('\n'),
  );
}

/** What `npm run package` prints. */
export function sizesText({ path, sha256, sbomPath, entries }: WorkerPackage, root: string): string {
  const lines = [
    ...partsText(entries),
    line('unzipped', sum(entries), ` of at most ${megabytes(MAX_UNZIPPED_BYTES)}`),
    line('zip', statSync(path).size),
    `sha256 ${sha256}  ${relative(root, path)}`,
    `what is in it: ${relative(root, sbomPath)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function partsText(entries: readonly Entry[]): string[] {
  const counted = new Set<Entry>();
  return PARTS.map(([title, prefix]) => {
    const part = entries.filter((entry) => !counted.has(entry) && entry.name.startsWith(prefix));
    for (const entry of part) counted.add(entry);
    return line(title, sum(part));
  });
}

function line(title: string, bytes: number, rest = ''): string {
  return `${title.padEnd(24)} ${megabytes(bytes).padStart(9)}${rest}`;
}

function sum(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
