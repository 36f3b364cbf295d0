import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readJob } from '../../shared/jobs/job-store.ts';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { CTRL_C, startCommandOnTerminal } from '../support/terminal-session.ts';

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Enough for an interruption between the first message and the last. */
const MANY = 200_000;

const { aws, folder } = await commandTests();
let many: string;
beforeAll(async () => {
  many = await folder.write(
    'many.txt',
    Array.from({ length: MANY }, (_, index) => `https://host/${index}.jpg\n`),
  );
  await describeJob(aws.target, ['a', 'b']);
  await writeParts(aws.target, 'results', [result('a')]);
}, 60_000);

/** An AWS that takes requests and never answers: a command that asks it waits until it is interrupted. */
async function startSilentAws(): Promise<
  AsyncDisposable & { environment: Record<string, string>; requests(): number }
> {
  let requests = 0;
  const server = createServer(() => {
    requests++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests: () => requests,
    environment: { ...aws.environment, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('Ctrl-C on a terminal', () => {
  test('ends enqueue while it draws its progress bar, and the printed command sends exactly the remaining images', async () => {
    const session = startCommandOnTerminal(['enqueue', many, '--job', 'many', '--per-message', '10'], aws);
    await session.shows(/enqueued .*[1-9]\d*\/200000/);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
    const [, sent, resume = ''] =
      /interrupted: (\d+) of 200000 images sent; continue with: bin\/labelqueue (enqueue .*--job many .*--resume)/.exec(
        session.screen(),
      ) ?? [];
    expect(await readJob(aws.target, 'many')).toMatchObject({ state: 'failed', sent: Number(sent) });

    const resumed = await startCommand(resume.split(' '), aws).ended;
    expect(resumed).toMatchObject({ code: 0, stdout: 'job many: 200000 images in 20000 messages\n' });
    expect(aws.queued()).toHaveLength(MANY / 10);
  }, 300_000);

  test('ends enqueue that waits for its list on standard input, and removes its temporary copy', async () => {
    await using temporary = await createTemporaryFolder();
    const environment = { ...aws.environment, TMPDIR: temporary.path };
    const session = startCommandOnTerminal(['enqueue', '-', '--job', 'typed'], { environment });
    session.press('https://host/a.jpg\n');
    await session.shows(/a\.jpg/);
    while ((await readdir(temporary.path)).length === 0) await delay(10);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
    expect(session.screen()).toContain(
      'interrupted: nothing was sent; continue with: bin/labelqueue enqueue - --job typed',
    );
    expect(await readdir(temporary.path)).toEqual([]);
  }, 60_000);

  test('ends wait while it draws its progress bar', async () => {
    const session = startCommandOnTerminal(['wait', 'cats'], aws);
    await session.shows(/settled .*1\/2/);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
    expect(session.screen()).toContain('interrupted: the job cats goes on; to wait again: bin/labelqueue wait cats');
  }, 60_000);

  test('at the prompt of purge is a signal, not an answer', async () => {
    await describeJob(aws.target, [], { job: 'empty' });
    const session = startCommandOnTerminal(['purge', 'empty'], aws);
    await session.shows(/\[y\/N\]/);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
    expect(session.screen()).toContain('interrupted: nothing was removed; to begin again: bin/labelqueue purge empty');
    expect(await readJob(aws.target, 'empty')).toBeDefined();
  }, 60_000);

  test('ends status --watch', async () => {
    const session = startCommandOnTerminal(['status', '--watch'], aws);
    await session.shows(/cats/);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
  }, 60_000);

  test('ends the demo, and says how to run it again', async () => {
    const session = startCommandOnTerminal(['demo', '--state-dir', folder.path]);
    await session.shows(/starting SQS/);
    session.press(CTRL_C);
    expect(await session.ended).toBe(130);
    expect(session.screen()).toContain(`to run it again: bin/labelqueue demo --state-dir ${folder.path}`);
  }, 60_000);

  test('leaves the terminal as it was: cursor shown, lines wrapped', async () => {
    const session = startCommandOnTerminal(['wait', 'cats'], aws);
    await session.shows(/settled .*1\/2/);
    session.press(CTRL_C);
    await session.ended;
    expect(session.screen()).not.toMatch(/\[\?(?:25|7)l/);
  }, 60_000);
});

test.each([
  [['wait', 'cats'], 'to wait again: bin/labelqueue wait cats'],
  [['results', 'cats', '--out', 'out.jsonl'], 'nothing was written; to begin again: bin/labelqueue results cats'],
  [['failures', 'cats'], 'nothing was written; to begin again: bin/labelqueue failures cats'],
  [['report', 'cats', '--out', 'my report.html'], "to begin again: bin/labelqueue report cats --out 'my report.html'"],
  [['redrive', 'cats'], 'to send the others: bin/labelqueue redrive cats'],
  [['purge', 'cats', '--yes'], 'nothing was removed; to begin again: bin/labelqueue purge cats --yes'],
  [['status', 'cats'], ''],
  [['cancel', 'cats'], ''],
])(
  '%j ends while AWS does not answer, and says how to continue',
  async (args, text) => {
    await using silent = await startSilentAws();
    await using temporary = await createTemporaryFolder();
    const environment = { ...silent.environment, TMPDIR: temporary.path };
    const session = startCommandOnTerminal(args, { environment, columns: 400 });
    while (silent.requests() === 0) await delay(10);
    session.press(CTRL_C);
    expect(await session.ended).toBe(CODES.SIGINT);
    expect(session.screen()).toContain(text);
    expect(await readdir(temporary.path)).toEqual([]);
  },
  60_000,
);

test('enqueue removes its copy of standard input when it is ended while AWS does not answer', async () => {
  await using silent = await startSilentAws();
  await using temporary = await createTemporaryFolder();
  const environment = { ...silent.environment, TMPDIR: temporary.path };
  const command = startCommand(['enqueue', '-', '--job', 'typed'], { environment, input: ['https://host/a.jpg\n'] });
  while (silent.requests() === 0) await delay(10);
  expect(await readdir(temporary.path)).toHaveLength(1);
  command.signal('SIGINT');
  await command.ended;
  expect(await readdir(temporary.path)).toEqual([]);
}, 60_000);

test.each(['SIGTERM', 'SIGHUP'] as const)('%s ends a command as Ctrl-C does', async (signal) => {
  await using silent = await startSilentAws();
  const command = startCommand(['wait', 'cats'], silent);
  while (silent.requests() === 0) await delay(10);
  command.signal(signal);
  const { code, stderr } = await command.ended;
  // Of the process itself; `bin/labelqueue` turns it into the exit code that shells know.
  expect({ code, signal: command.endedBy() }).toEqual({ code: null, signal });
  expect(stderr).toBe('interrupted: the job cats goes on; to wait again: labelqueue wait cats\n');
});

test('closing the terminal ends a command with the exit code of SIGHUP', async () => {
  await using silent = await startSilentAws();
  const session = startCommandOnTerminal(['wait', 'cats'], silent);
  while (silent.requests() === 0) await delay(10);
  session.hangUp();
  expect(await session.ended).toBe(CODES.SIGHUP);
}, 60_000);

test('closing the terminal lets local finish its work, although the signal arrives from several sides', async () => {
  await using state = await createTemporaryFolder();
  const args = ['local', '--port', '0', '--api-port', '0', '--workers', '1', '--state-dir', state.path];
  const local = startCommandOnTerminal(args);
  await local.shows(/RESULTS_BUCKET=/);
  local.hangUp();
  expect(await local.ended).toBe(0);
  // What it removes when it ends by itself.
  const left = await readdir(join(state.path, 'local'));
  expect(left).not.toContain('environment.json');
  expect(left).not.toContain('pid');
}, 120_000);

test('a second signal ends a command that is still finishing', async () => {
  await using state = await createTemporaryFolder();
  await using server = await startSilentAws();
  const host = new URL(server.environment['AWS_ENDPOINT_URL'] ?? '').host;
  const args = ['local', '--port', '0', '--workers', '1', '--state-dir', state.path, '--allow-host', host];
  const local = startCommand(args);
  await local.says(/RESULTS_BUCKET=/);
  const environment = Object.fromEntries(
    Array.from(local.stdout().matchAll(/^export (\w+)=(.*)$/gm), ([, name, value]) => [name, value]),
  );
  const slow = await folder.write('slow.txt', `http://${host}/never.jpg\n`);
  await startCommand(['enqueue', slow, '--job', 'slow'], { environment }).ended;
  while (server.requests() === 0) await delay(10);
  local.signal('SIGINT');
  while (!local.stderr().includes('finishing in-flight work')) await delay(10);
  // The same event may arrive twice; what comes later is a second one.
  await delay(1_000);
  local.signal('SIGINT');
  await local.ended;
  expect(local.endedBy()).toBe('SIGINT');
}, 120_000);

test.each([
  ['status', 'cats'],
  ['results', 'cats'],
  ['classify', '--json', 'gone.jpg'],
])('a reader that closes the output of `%s` early is not an error', async (...args) => {
  const command = startCommand(args, { ...aws, closedOutput: true });
  const { stderr, code } = await command.ended;
  expect(stderr).not.toMatch(/EPIPE|bug|at .*\.ts/);
  expect(code).toBe(args[0] === 'classify' ? 3 : 0);
});
