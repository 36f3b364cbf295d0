import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const PROJECT = pathToFileURL(join(import.meta.dirname, '../../')).href;
const TELL = join(import.meta.dirname, '../support/report-loaded-modules.mjs');
/** There were 57; what declares one more command is one or two more. */
const MOST_TO_DECLARE = 75;
const COMMANDS = [
  ...['demo', 'local', 'enqueue', 'status', 'wait', 'cancel', 'results', 'failures', 'report', 'redrive', 'purge'],
  ...['classify', 'model', 'completion'],
];
const WIDTHS = ['ansi-regex', 'emoji-regex', 'is-fullwidth-code-point', 'string-width', 'strip-ansi'];

const [aws] = await sharedByTests(startTestAws());
beforeAll(async () => {
  await describeJob(aws.target, ['a']);
  await writeParts(aws.target, 'results', [result('a')]);
});

type Loaded = { modules: number; packages: string[] };

async function loadedBy(args: string[], environment: Record<string, string> = {}): Promise<Loaded> {
  const { stderr } = await runCommand(args, { execArgv: ['--import', TELL], environment });
  const modules: string[] = JSON.parse(/^loaded: (.*)$/m.exec(stderr)?.[1] ?? '[]');
  const own = modules.filter((url) => url.startsWith(PROJECT));
  const packages = own.flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return { modules: own.length, packages: [...new Set(packages)].toSorted() };
}

test.each([
  ...COMMANDS.map((command) => [command, '--help']),
  ['model', 'check', '--help'],
  ['--help'],
  ['--version'],
  ['completion', 'bash'],
  ['completion', 'zsh'],
  ['completion', 'fish'],
  ['statsu'],
  ['results'],
  [],
])('labelqueue %s %s loads only the declarations of commands, and no package but commander', async (...args) => {
  const { modules, packages } = await loadedBy(args.filter((arg) => typeof arg === 'string'));
  expect(packages).toEqual(['commander']);
  expect(modules).toBeLessThanOrEqual(MOST_TO_DECLARE);
});

test.each([
  { args: ['status', 'cats'], draws: [] },
  { args: ['wait', 'cats'], draws: ['cli-progress', ...WIDTHS] },
  { args: ['status'], draws: ['cli-table3', ...WIDTHS] },
])(
  'labelqueue $args loads the clients of SQS and S3, its terminal output, and nothing that computes or serves',
  async ({ args, draws }) => {
    const { packages } = await loadedBy(args, aws.environment);
    expect(packages).toEqual(expect.arrayContaining(['@aws-sdk/client-s3', '@aws-sdk/client-sqs', 'commander', 'zod']));
    const others = packages.filter((name) => !/^(?:@aws-sdk|@smithy|@aws)\//.test(name));
    expect(others).toEqual(['commander', 'p-map', 'zod', ...draws].toSorted());
    expect(packages).not.toContain('@aws-sdk/client-cloudformation');
  },
);
