import { join } from 'node:path';
import { findService } from '../local/running-service.ts';
import { visibleLine } from '../shared/contract/visible-text.ts';
import { stateDirectory } from './project-folder.ts';
import { commandName } from './terminal/command-name.ts';
import { printNote } from './terminal/terminal.ts';

/**
 * Variables that name a queue, an account or a region: if one is set, the user has chosen a target. Other variables of
 * AWS tools, e.g. AWS_PAGER, do not count.
 */
const CHOSEN =
  /^(?:AWS_(?:(?:DEFAULT_)?(?:PROFILE|REGION)|ACCESS_KEY_ID|SESSION_TOKEN|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|(?:ENDPOINT_URL|CONTAINER_).*)|QUEUE_URL|DEAD_LETTER_QUEUE_URL|RESULTS_BUCKET)$/;

/** The address of the dashboard of the running service, which knows more about the queue than SQS reports. */
export const LOCAL_ADDRESS_VARIABLE = 'LABELQUEUE_LOCAL_ADDRESS';

/** Takes the settings of the `labelqueue local` that runs in this project, if one does and nothing else is set. */
export function useLocalService(environment: NodeJS.ProcessEnv): void {
  if (Object.entries(environment).some(([name, value]) => value !== '' && CHOSEN.test(name))) return;
  const service = findService(join(stateDirectory(), 'local'));
  if (service === undefined) return;
  Object.assign(environment, service.environment);
  printNote(
    `using \`${commandName()} local\` at ${visibleLine(service.environment['AWS_ENDPOINT_URL'] ?? '')} (${service.identity.split(',')[0]})\n`,
  );
}
