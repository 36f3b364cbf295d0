import { join } from 'node:path';
import { findService } from '../local/running-service.ts';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { stateDirectory } from './project-folder.ts';
import { printNote } from './terminal.ts';

/** What names a queue, an account or a region: where one of them is set, somebody has chosen. */
const CHOSEN = /^(?:AWS_.*|QUEUE_URL|DEAD_LETTER_QUEUE_URL|RESULTS_BUCKET)$/;

/** Takes the settings of the `labelqueue local` that runs in this project, if one does and nothing else is set. */
export function useLocalService(environment: NodeJS.ProcessEnv): void {
  if (Object.entries(environment).some(([name, value]) => value !== '' && CHOSEN.test(name))) return;
  const service = findService(join(stateDirectory(), 'local'));
  if (service === undefined) return;
  Object.assign(environment, service.environment);
  printNote(
    `using \`labelqueue local\` at ${visibleLine(service.environment['AWS_ENDPOINT_URL'] ?? '')} (${service.identity.split(',')[0]})\n`,
  );
}
