import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../shared/contract/user-error.ts';
import { TextEncodingError, textOfFile } from '../shared/runtime/text-file.ts';
import { ACCOUNT_OPTIONS } from './account-config.ts';
import { api } from './api/api-config.ts';
import { chatbot } from './chat/chat-config.ts';
import { jobEvents } from './events/events-config.ts';
import { areOfOneSize, fleet, instanceTypesOf, unfitInstanceType } from './fleet/fleet-config.ts';
import { checkRules, problemsText, SERVICE_OPTIONS, type ServiceConfig } from './service-config.ts';

/** A configuration that is missing or wrong. The message names the file, each field, and what was expected. */
export class StageConfigError extends UserError {
  override readonly name = 'StageConfigError';
}

const STAGES = join(import.meta.dirname, 'stages');
/** What CloudFormation takes in the name of a stack, S3 in the middle of a bucket's name, and Lex in that of a bot. */
const STAGE_NAME = /^(?!.*--)[a-z][a-z0-9-]{0,19}$/;
const schema = z
  .strictObject({
    ...SERVICE_OPTIONS,
    /** The HTTP API; without, there is none. */
    api: api.optional(),
    /** The Lex chatbot; without, there is none. */
    chatbot: chatbot.optional(),
    /** An event of EventBridge at the end of each job, and what else is turned on here; without, it is not announced. */
    jobEvents: z
      .union(
        [z.literal(true).transform(() => jobEvents.parse({})), jobEvents],
        'expected true, or an object of options',
      )
      .optional(),
    /** Workers on EC2; without, there are none. */
    fleet: fleet.optional(),
    /** Tables and queries for Athena. */
    athena: z.boolean().default(true),
    ...ACCOUNT_OPTIONS,
  })
  .superRefine(checkRules)
  .refine(({ release, api, chatbot }) => release === undefined || api !== undefined || chatbot !== undefined, {
    path: ['release'],
    message: 'expected api or chatbot, too: the worker is released at once',
  })
  .superRefine(({ fleet, architecture }, context) => {
    const types = fleet === undefined ? [] : instanceTypesOf(fleet, architecture);
    const unfit = unfitInstanceType(types, architecture);
    const message =
      unfit !== undefined
        ? `expected types with ${architecture} processors, as the stage's architecture says, got ${unfit}`
        : 'expected types of one size, such as xlarge: the fleet counts instances';
    if (unfit !== undefined || (types.length > 0 && !areOfOneSize(types))) {
      context.addIssue({ code: 'custom', path: ['fleet', 'instanceTypes'], message });
    }
  })
  .refine(({ api }) => api?.cors === undefined || api.jwt !== undefined, {
    path: ['api', 'cors'],
    message: 'expected jwt, too: pages have tokens, and no credentials to sign with',
  });

/** What each resource of a stage is tagged with that takes tags. */
export function stageTags({ stage, tags }: Pick<StageConfig, 'stage' | 'tags'>): Record<string, string> {
  return { ...tags, application: 'labelqueue', stage };
}

/** One stage of the service, e.g. `dev` or `prod`: each is a stack of its own. */
export type StageConfig = z.infer<typeof schema> & { stage: string };

/** The same, with what its stack makes of it. */
export type StackConfig = StageConfig & Pick<ServiceConfig, 'serviceName' | 'encryptionKey'>;

/**
 * Checks the content of a stage's file.
 *
 * @param source how messages call the file
 * @throws {StageConfigError}
 */
export function stageConfig(stage: string, given: unknown, source = `${stage}.json`): StageConfig {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ...parsed.data, stage };
  throw new StageConfigError(`wrong configuration in ${source}:\n${problemsText(parsed.error, 'the file')}`);
}

/**
 * Reads `infra/stages/<stage>.json`.
 *
 * @throws {StageConfigError}
 */
export function readStageConfig(stage: string, folder: string = STAGES): StageConfig {
  if (!STAGE_NAME.test(stage)) {
    throw new StageConfigError(
      `expected a stage of at most 20 lower-case letters, digits and dashes, got ${JSON.stringify(stage)}`,
    );
  }
  const source = `infra/stages/${stage}.json`;
  let text: string;
  try {
    text = textOfFile(readFileSync(join(folder, `${stage}.json`)));
  } catch (cause) {
    if (cause instanceof TextEncodingError) throw new StageConfigError(`${source}: ${cause.message}`, { cause });
    throw new StageConfigError(`there is no ${source}: copy infra/stages/dev.json and change it`, { cause });
  }
  return stageConfig(stage, parseJson(text, source), source);
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StageConfigError(`expected JSON in ${source}: ${(cause as Error).message}`, { cause });
  }
}
