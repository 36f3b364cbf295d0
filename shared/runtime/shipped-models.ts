import { join } from 'node:path';

/** The models of the project, or of the package. Modules lie two folders deep in both: the bundler sees to that. */
export const SHIPPED_MODELS = join(import.meta.dirname, '../../models');
