import { join } from 'node:path';

/** The package's folder: what is bundled lies in its `lib/`. */
export const PACKAGE = join(import.meta.dirname, '..');
