/** `npm run api-report`: writes down what the package's entries export, in `npm/api/`. */
import { join } from 'node:path';
import { makeDeclarations } from './build/declarations.ts';

const ROOT = join(import.meta.dirname, '..');
const work = join(ROOT, '.labelqueue/npm');

await makeDeclarations({ root: ROOT, work, types: join(work, 'types'), reports: join(import.meta.dirname, 'api') });
