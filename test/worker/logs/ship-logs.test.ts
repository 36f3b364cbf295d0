import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../testkit/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { batched } from '../../../worker/logs/batches.ts';
import { journalArguments } from '../../../worker/logs/journal.ts';

const SHIP_LOGS = join(import.meta.dirname, '../../../worker/logs/ship-logs.ts');

/** Prints what is in a file from behind the cursor on, and goes on as a journal does; writes down what it was asked. */
const JOURNALCTL = `#!/usr/bin/env node
import { appendFileSync, readFileSync } from 'node:fs';
appendFileSync(process.env.ASKED, process.argv.slice(2).join(' ') + '\\n');
const after = /--after-cursor=(\\S+)/.exec(process.argv.join(' '))?.[1];
const lines = readFileSync(process.env.JOURNAL, 'utf8').trimEnd().split('\\n');
const from = lines.findIndex((line) => line.includes('"__CURSOR":"' + after + '"')) + 1;
process.stdout.write(lines.slice(from).map((line) => line + '\\n').join(''));
setInterval(() => {}, 1_000);
`;

type Put = { logGroupName: string; logStreamName: string; logEvents: { message: string; timestamp: number }[] };

let folder: TemporaryFolder;
let server: Server;
let puts: Put[];
let created: string[];
let answers: number[];
let running: ChildProcess[];

beforeEach(async () => {
  folder = await createTemporaryFolder();
  [puts, created, answers, running] = [[], [], [], []];
  await mkdir(join(folder.path, 'bin'));
  await folder.write('bin/journalctl', JOURNALCTL.replace('#!/usr/bin/env node', `#!${process.execPath}`));
  await folder.write('bin/package.json', '{"type":"module"}');
  await chmod(join(folder.path, 'bin/journalctl'), 0o755);
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const action = String(request.headers['x-amz-target']).split('.').at(-1);
      const status = answers.shift() ?? 200;
      if (status === 200 && action === 'PutLogEvents') puts.push(JSON.parse(body) as Put);
      if (action === 'CreateLogStream') created.push(JSON.parse(body).logStreamName);
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(status === 200 ? '{}' : '{"__type":"ServiceUnavailableException"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await Promise.all(running.map(end));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await folder[Symbol.asyncDispose]();
});

const entry = (cursor: string, MESSAGE: unknown, timestamp = '1700000000000000') =>
  JSON.stringify({ __CURSOR: cursor, __REALTIME_TIMESTAMP: timestamp, MESSAGE });

async function ship(...lines: string[]): Promise<ChildProcess> {
  const JOURNAL = await folder.write('journal', `${lines.join('\n')}\n`);
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, ['--no-warnings', SHIP_LOGS], {
    stdio: 'ignore',
    env: {
      ...{ PATH: `${join(folder.path, 'bin')}:${process.env['PATH']}`, JOURNAL, ASKED: join(folder.path, 'asked') },
      ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' },
      ...{ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_MAX_ATTEMPTS: '1' },
      ...{ LOG_GROUP_NAME: 'group', LOG_STREAM_NAME: 'fleet/i-1', STATE_FOLDER: folder.path },
    },
  });
  running.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const sent = () => puts.flatMap(({ logEvents }) => logEvents.map(({ message }) => message));

describe('the log shipper', () => {
  test('sends lines unchanged, in order, with their time, to the stream of the instance', async () => {
    await ship(entry('a', '{"_aws":{}}'), entry('b', [0xc3, 0xa6]), 'no JSON', entry('c', ''), entry('d', 'last'));
    await eventually('the lines', () => sent().length === 3);
    expect(sent()).toEqual(['{"_aws":{}}', 'æ', 'last']);
    expect(puts[0]).toMatchObject({ logGroupName: 'group', logStreamName: 'fleet/i-1' });
    expect(puts[0]?.logEvents[0]?.timestamp).toBe(1_700_000_000_000);
    expect(created).toEqual(['fleet/i-1']);
  });

  test('continues after the last accepted line, so that no line is sent twice', async () => {
    const first = await ship(entry('a', '1'), entry('b', '2'));
    const cursor = () => readFile(join(folder.path, 'cursor'), 'utf8').catch(() => '');
    await eventually('the cursor', async () => (await cursor()) === 'b');
    first.kill('SIGKILL');
    await once(first, 'exit');
    await ship(entry('a', '1'), entry('b', '2'), entry('c', '3'));
    await eventually('the last line', () => sent().includes('3'));
    expect(sent()).toEqual(['1', '2', '3']);
  });

  test('sends rejected lines again, and loses none', async () => {
    answers = [200, 503];
    await ship(entry('a', '1'));
    await eventually('the line', () => sent().length === 1, 30_000);
    expect(sent()).toEqual(['1']);
  }, 40_000);

  test('splits lines of more than a day into several requests, as CloudWatch requires', async () => {
    const at = (hours: number) => String((1_700_000_000 + hours * 3_600) * 1_000_000);
    await ship(entry('a', '1', at(0)), entry('b', '2', at(11)), entry('c', '3', at(25)));
    await eventually('the lines', () => sent().length === 3);
    expect(puts.map(({ logEvents }) => logEvents.map(({ message }) => message))).toEqual([['1', '2'], ['3']]);
  });

  test('sends the remaining lines and ends when it is stopped', async () => {
    const child = await ship(entry('a', '1'));
    await eventually('a stream', () => created.length === 1);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(sent()).toEqual(['1']);
  });
});

test('journalctl is asked for complete lines: by default it omits those longer than 4 KB', () => {
  expect(journalArguments(['a.service', 'b.service'], 'x')).toEqual(
    expect.arrayContaining([
      '--all',
      '--follow',
      '--lines=all',
      '--unit=a.service',
      '--unit=b.service',
      '--after-cursor=x',
    ]),
  );
});

describe('batches', () => {
  async function collect(
    items: readonly string[],
    limits: { maxItems: number; maxBytes: number },
  ): Promise<string[][]> {
    async function* source() {
      yield* items;
    }
    const batches: string[][] = [];
    for await (const batch of batched(source(), { ...limits, maxWaitMs: 10_000, bytesOf: ({ length }) => length })) {
      batches.push(batch);
    }
    return batches;
  }

  test.each([
    [['a', 'b', 'c'], { maxItems: 2, maxBytes: 10 }, [['a', 'b'], ['c']]],
    [['aaa', 'bbb', 'c'], { maxItems: 9, maxBytes: 5 }, [['aaa'], ['bbb', 'c']]],
    [['aaaaaaa', 'b'], { maxItems: 9, maxBytes: 5 }, [['aaaaaaa'], ['b']]],
    [[], { maxItems: 9, maxBytes: 5 }, []],
  ])('of %j within %j are %j', async (items, limits, batches) => {
    expect(await collect(items, limits)).toEqual(batches);
  });

  test('are all read before an error of the source is thrown', async () => {
    // In a process of its own, which an error that is not handled would end.
    const program = `
      import { setTimeout as delay } from 'node:timers/promises';
      import { batched } from ${JSON.stringify(join(import.meta.dirname, '../../../worker/logs/batches.ts'))};
      async function* source() {
        yield 'a';
        throw new Error('the journal ends');
      }
      const batches = batched(source(), { maxItems: 1, maxBytes: 9, maxWaitMs: 5, bytesOf: () => 1 });
      const { value } = await batches.next();
      await delay(50);
      const end = await batches.next().catch(({ message }) => message);
      console.log(JSON.stringify([value, end]));`;
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program]);
    expect(JSON.parse(await text(child.stdout))).toEqual([['a'], 'the journal ends']);
  });

  test('do not wait for an item that does not arrive', async () => {
    async function* source() {
      yield 'a';
      await new Promise(() => {});
    }
    const batches = batched(source(), { maxItems: 9, maxBytes: 9, maxWaitMs: 5, bytesOf: () => 1 });
    expect(await batches.next()).toEqual({ done: false, value: ['a'] });
  });
});
