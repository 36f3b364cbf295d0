/** `npm run build:npm [-- FOLDER]`: makes `dist/npm/`, or another folder: the package that `npm pack` and `npm publish` take. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildPackage } from './build/build-package.ts';

const ROOT = join(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(ROOT, 'dist/npm'));
const work = `${folder}.work`;

await buildPackage({ root: ROOT, work, folder });
await rm(work, { recursive: true, force: true });
