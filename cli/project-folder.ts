import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');

/** Photos and manifests that come with the product. */
export const SAMPLES = join(PROJECT, 'samples');
/** What the product keeps on this machine; not under version control. */
export const STATE = join(PROJECT, '.labelqueue');
