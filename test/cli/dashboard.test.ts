import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { environmentOf } from '../../cli/dashboard/dashboard.ts';
import type { Session } from '../../dashboard/contract/session.ts';
import type { Facts } from '../../dashboard/server/insight.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';

let aws: TestAws;
let state: TemporaryFolder;
const commands: RunningCommand[] = [];

beforeAll(async () => {
  aws = await startTestAws();
  state = await createTemporaryFolder();
  await mkdir(state.path, { recursive: true });
});
afterAll(async () => {
  for (const command of commands) command.interrupt();
  await Promise.all(commands.map(({ ended }) => ended));
  await aws.stop();
  await state[Symbol.asyncDispose]();
});

function start(args: string[], environment: Record<string, string> = aws.environment): RunningCommand {
  const command = startCommand(args, { environment });
  commands.push(command);
  return command;
}

async function addressOf(command: RunningCommand): Promise<string> {
  await command.says(/the dashboard is at http\S+\n/);
  return /the dashboard is at (\S+)/.exec(command.stdout())?.[1] ?? '';
}

test('serves the page at the printed address, read-only, and ends on Ctrl-C while pages are open', async () => {
  const command = start(['dashboard', '--port', '0']);
  const address = await addressOf(command);
  const page = await fetch(address);
  expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({
    status: 200,
    type: 'text/html; charset=utf-8',
  });
  const session = (await (await fetch(new URL('/api/session', address))).json()) as Session;
  expect(session).toMatchObject({ allowsChanges: false, environment: { kind: 'local', name: 'this machine' } });
  const stream = await fetch(new URL('/api/events?range=1h', address));
  await stream.body?.getReader().read();
  command.interrupt();
  const { code, stderr } = await command.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('--allow-changes') });
});

test('accepts changes with --allow-changes, and requires the token when there is one', async () => {
  const token = 'correct-horse-battery';
  const command = start(['dashboard', '--port', '0', '--allow-changes', '--token', token]);
  const address = await addressOf(command);
  expect(new URL(address).search).toBe(`?token=${token}`);
  const answer = await fetch(new URL('/api/session', address), { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toMatchObject({ allowsChanges: true });
  expect((await fetch(new URL('/api/session', address))).status).toBe(401);
});

test.each([
  ['0.0.0.0', []],
  ['::', []],
  ['192.0.2.1', []],
  ['dashboard.example', []],
  ['127.0.0.1', ['--token', 'short']],
  ['127.0.0.1', ['--token', 'with spaces in it, and long']],
])('refuses the host %s with the options %j, in one line', async (host, more) => {
  const { code, stdout, stderr } = await runCommand(['dashboard', '--port', '0', '--host', host, ...more], {
    environment: aws.environment,
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^labelqueue: .*expected (--token|a token).*\n$/);
});

test('says what to set when there is no queue, and names a port that is in use', async () => {
  const without = await runCommand(['dashboard', '--port', '0']);
  expect({ code: without.code, stderr: without.stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('QUEUE_URL is not set'),
  });
  const taken = await runCommand(['dashboard', '--port', String(aws.server.port)], { environment: aws.environment });
  expect({ code: taken.code, stderr: taken.stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`port ${aws.server.port} is already in use`),
  });
});

test('`local` serves it at the first printed address, beside its API, and `dashboard` shows the same', async () => {
  const local = start(['local', '--port', '0', '--workers', '1', '--state-dir', state.path], {});
  await local.says(/export RESULTS_BUCKET=/);
  const [, address = ''] = /^the dashboard is at (\S+)\n/.exec(local.stderr()) ?? [];
  expect((await fetch(address)).headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect((await fetch(new URL('/openapi.json', address))).status).toBe(200);
  expect((await fetch(new URL('/jobs/cats', address))).status).toBe(404);
  const facts = { oldestMessageAgeSeconds: null, workers: 1, stages: [], alarms: null };
  expect((await (await fetch(new URL('/api/facts', address))).json()) as Facts).toEqual(facts);
  const other = start(['dashboard', '--port', '0'], { LABELQUEUE_STATE_DIR: state.path });
  const ofOther = await fetch(new URL('/api/facts', await addressOf(other)));
  expect(await ofOther.json()).toEqual(facts);
}, 120_000);

test.each([
  [
    { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' },
    undefined,
    { kind: 'local', name: 'this machine', endpoint: '127.0.0.1:4566' },
  ],
  [{ AWS_ENDPOINT_URL: 'http://[::1]:4566' }, undefined, { kind: 'local' }],
  [
    { AWS_ENDPOINT_URL: 'https://s3.company.example' },
    undefined,
    { kind: 'dev', name: 'queue', endpoint: 's3.company.example' },
  ],
  [
    { AWS_REGION: 'eu-west-1' },
    'labelqueue-dev',
    { kind: 'dev', name: 'labelqueue-dev', region: 'eu-west-1', endpoint: null },
  ],
  [{}, 'labelqueue-prod', { kind: 'prod', name: 'labelqueue-prod' }],
  [{}, 'labelqueue-production-2', { kind: 'prod' }],
  [{}, 'product-images', { kind: 'dev' }],
])('the environment %j with the stack %s is %j', (variables, stack, expected) => {
  expect(environmentOf(variables, stack, 'https://sqs.eu-west-1.amazonaws.com/1/queue')).toMatchObject(expected);
});
