import { join } from 'node:path';

/** The zip that `npm run package` makes and that the stack deploys. */
export const PACKAGE = join(import.meta.dirname, '../dist/classify.zip');
