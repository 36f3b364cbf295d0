/** `npm run build:npm`: makes `dist/npm/`, the package that `npm pack` and `npm publish` take. */
import { join } from 'node:path';
import { buildPackage } from './build/build-package.ts';

const ROOT = join(import.meta.dirname, '..');
const work = join(ROOT, '.labelqueue/npm');

await buildPackage({ root: ROOT, work, folder: join(ROOT, 'dist/npm'), reports: join(work, 'api') });
