import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '..');

/** Sample photos and manifests of the repository. */
export const SAMPLES = join(PROJECT, 'samples');
/** State on this machine; not under version control. */
const STATE = join(PROJECT, '.labelqueue');

/** The default folder of queues, objects and logs. */
export function stateDirectory(): string {
  return process.env['LABELQUEUE_STATE_DIR'] || STATE;
}
