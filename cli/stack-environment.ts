import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { withNamedCalls } from '../shared/jobs/named-calls.ts';
import { LOG_GROUP_VARIABLE, WORKERS_VARIABLE } from './stack-variables.ts';
import { CommandError } from './terminal/user-errors.ts';

/** The stack's outputs, and the settings that they provide. */
const SETTINGS: Record<string, string> = {
  QueueUrl: 'QUEUE_URL',
  DeadLetterQueueUrl: 'DEAD_LETTER_QUEUE_URL',
  ResultsBucketName: 'RESULTS_BUCKET',
};

/** Outputs that only some commands use; stacks of earlier versions may lack them. */
const OPTIONAL_SETTINGS: Record<string, string> = {
  LogGroupName: LOG_GROUP_VARIABLE,
  Workers: WORKERS_VARIABLE,
  JobEndQueueUrl: 'JOB_END_QUEUE_URL',
};

/**
 * The settings that the outputs of a CloudFormation stack give, e.g. of `labelqueue-dev`.
 *
 * @throws {CommandError} when there is no such stack, or it is not a labelqueue stack
 */
export async function stackEnvironment(stackName: string): Promise<Record<string, string>> {
  const outputs = await stackOutputs(stackName);
  const missing = Object.keys(SETTINGS).filter((output) => outputs[output] === undefined);
  if (missing.length > 0) {
    throw new CommandError(
      `expected a labelqueue stack with the outputs ${Object.keys(SETTINGS).join(', ')}, ${stackName} has no ${missing.join(', ')}`,
    );
  }
  return Object.fromEntries(
    Object.entries({ ...SETTINGS, ...OPTIONAL_SETTINGS }).map(([output, variable]) => [
      variable,
      outputs[output] ?? '',
    ]),
  );
}

async function stackOutputs(stackName: string): Promise<Record<string, string>> {
  try {
    const { Stacks = [] } = await withNamedCalls(new CloudFormationClient({})).send(
      new DescribeStacksCommand({ StackName: stackName }),
    );
    const outputs = Stacks[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (error) {
    // CloudFormation has no error of its own for a stack that is not there.
    if (error instanceof Error && /does not exist/.test(error.message)) {
      throw new CommandError(`no stack ${stackName} in this account and region`);
    }
    throw error;
  }
}
