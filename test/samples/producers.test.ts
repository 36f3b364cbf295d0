import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from '@jest/globals';
import type { QueueMessage } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { AWS_CLI, MOTO, pythonPackages } from '../support/python-packages.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const PRODUCERS = join(import.meta.dirname, '../../samples/producers');
const URLS = Array.from({ length: 150 }, (_, index) => `https://host.example/${index}.jpg?a="b"&c=ü`);

const [aws, folder] = await sharedByTests(startTestAws(), createTemporaryFolder());
beforeEach(() => aws.clear());

/** How each is started for the job `cats`, and what it finds in its environment beside that of the queue. */
const RUNS: Record<string, () => Promise<{ command: string[]; input?: string; environment?: Record<string, string> }>> =
  {
    'producer.py': async () => ({
      command: ['python3', 'producer.py', 'cats', ...URLS],
      // boto3 comes with moto.
      environment: { PYTHONPATH: await pythonPackages(MOTO) },
    }),
    'producer.mjs': async () => ({ command: [process.execPath, 'producer.mjs', 'cats', ...URLS] }),
    'producer.sh': async () => {
      const cli = await pythonPackages(AWS_CLI);
      return {
        command: ['sh', 'producer.sh', 'cats'],
        input: URLS.map((url) => `${url}\n`).join(''),
        environment: { PYTHONPATH: cli, PATH: `${await toEmbeddedAws(cli)}:${process.env['PATH']}` },
      };
    },
  };

/** A folder with an `aws` that does what version 2 does by itself: version 1 does not read AWS_ENDPOINT_URL for SQS. */
async function toEmbeddedAws(cli: string): Promise<string> {
  const { AWS_ENDPOINT_URL, AWS_REGION } = aws.environment;
  const options = `--endpoint-url "${AWS_ENDPOINT_URL}" --region "${AWS_REGION}"`;
  const command = await folder.write('aws', `#!/bin/sh\nexec python3 "${join(cli, 'bin/aws')}" ${options} "$@"\n`);
  await chmod(command, 0o755);
  return folder.path;
}

test.each(Object.keys(RUNS))(
  '%s sends messages that a worker reads',
  async (name) => {
    const run = RUNS[name];
    if (run === undefined) throw new Error(`expected to know how to run ${name}`);
    const { command, input = '', environment } = await run();
    const [file = '', ...args] = command;
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...aws.environment, ...environment };
    const running = promisify(execFile)(file, args, { cwd: PRODUCERS, env });
    running.child.stdin?.end(input);
    await running;

    const messages = aws.queued().map(({ body }) => parseMessage(body));
    for (const message of messages) expect(message).not.toBeInstanceOf(MalformedMessage);
    const read = messages as QueueMessage[];
    expect(read.map(({ job, images }) => [job, images.length])).toEqual([
      ['cats', 100],
      ['cats', 50],
    ]);
    const images = read.flatMap((message) => message.images);
    expect(images).toEqual(URLS.map((url, index) => ({ id: String(index), url })));
  },
  300_000,
);

test('each producer is tested, and has at most ten lines', () => {
  const files = readdirSync(PRODUCERS);
  expect(files.toSorted()).toEqual(Object.keys(RUNS).toSorted());
  for (const file of files) {
    const lines = readFileSync(join(PRODUCERS, file), 'utf8').trimEnd().split('\n');
    const code = lines.filter((line) => line.trim() !== '' && !/^(#|\/\/|""")/.test(line));
    expect({ file, lines: code.length <= 10 }).toEqual({ file, lines: true });
  }
});
