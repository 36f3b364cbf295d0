/** How fast a command starts, measured where it does next to nothing. */
import { describeJob, result, writeParts } from '../../../testkit/job-outcomes.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import type { ClientRow, PreparedCommand } from '../row.ts';

/** A single start says little on a machine with other work on it. */
const TIMES = 11;

export const rows: ClientRow[] = [
  row('--help', withoutAws(['--help'])),
  row('status --help', withoutAws(['status', '--help'])),
  row('status of a small job', ofSmallJob(['status', 'cats'])),
];

function row(name: string, prepare: ClientRow['prepare']): ClientRow {
  return { name, unit: 'start', sizes: [1], prepare };
}

function withoutAws(args: readonly string[]) {
  return async (): Promise<PreparedCommand> => ({
    args,
    environment: {},
    times: TIMES,
    async [Symbol.asyncDispose]() {},
  });
}

function ofSmallJob(args: readonly string[]) {
  return async (): Promise<PreparedCommand> => {
    const aws = await startTestAws();
    await describeJob(aws.target, ['a', 'b']);
    await writeParts(aws.target, 'results', [result('a'), result('b')]);
    return { args, environment: aws.environment, times: TIMES, [Symbol.asyncDispose]: () => aws.stop() };
  };
}
