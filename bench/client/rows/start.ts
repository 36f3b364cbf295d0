/** What a command takes that does next to nothing: how fast it starts. `bin/labelqueue` adds the start of the Node on PATH. */
import { join } from 'node:path';
import { describeJob, result, writeParts } from '../../../test/support/job-outcomes.ts';
import { startTestAws } from '../../../test/support/test-aws.ts';

/** As `bin/labelqueue` sets it. */
const CACHED = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../../../.labelqueue/compile-cache') };
const ONCE = { unit: 'start', sizes: [1] };

export const rows = [
  { name: '--help', ...ONCE, prepare: async () => withoutAws(['--help']) },
  { name: 'status --help', ...ONCE, prepare: async () => withoutAws(['status', '--help']) },
  { name: 'status of a small job', ...ONCE, prepare: smallJob },
];

function withoutAws(args: readonly string[]) {
  return { args, environment: CACHED, async [Symbol.asyncDispose]() {} };
}

async function smallJob() {
  const aws = await startTestAws();
  await describeJob(aws.target, ['a', 'b']);
  await writeParts(aws.target, 'results', [result('a'), result('b')]);
  return {
    args: ['status', 'cats'],
    environment: { ...aws.environment, ...CACHED },
    [Symbol.asyncDispose]: () => aws.stop(),
  };
}
