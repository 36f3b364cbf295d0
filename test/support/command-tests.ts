import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { type CommandRun, runCommand } from './command.ts';
import { sharedByTests } from './shared-by-tests.ts';

export type CommandTests = {
  aws: TestAws;
  folder: TemporaryFolder;
  /** Runs the command to its end, against `aws`. */
  labelqueue(...args: string[]): Promise<CommandRun>;
};

/** What the tests of a command share: an AWS, a folder for their files, and the command. For the top of a file. */
export async function commandTests(): Promise<CommandTests> {
  const [aws, folder] = await sharedByTests(startTestAws(), createTemporaryFolder());
  return { aws, folder, labelqueue: (...args) => runCommand(args, { environment: aws.environment }) };
}
