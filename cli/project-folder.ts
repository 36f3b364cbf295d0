import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');

/** Photos and manifests that come with the product. */
export const SAMPLES = join(PROJECT, 'samples');
/** What the product keeps on this machine; not under version control. */
const STATE = join(PROJECT, '.labelqueue');

/** Where queues, objects and logs are kept unless a command is told otherwise. */
export function stateDirectory(): string {
  return process.env['LABELQUEUE_STATE_DIR'] || STATE;
}
