/** Errors of the functions: callers have no variables of the environment, and no command. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { type Connection, enqueue, failures, LabelqueueError, results, status } from '../../npm/entries/index.ts';
import { startTestAws } from '../../testkit/test-aws.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** The endpoint of a service that answers each request with an error, as S3 sends it. */
async function answering(code: number, name: string, headers: Record<string, string> = {}): Promise<string> {
  const document = `<?xml version="1.0"?><Error><Code>${name}</Code><Message>No.</Message></Error>`;
  const server = createServer((_request, response) => response.writeHead(code, headers).end(document));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Nothing listens on port 1. */
function connectionTo(endpoint: string | undefined = 'http://127.0.0.1:1', more: Partial<Connection> = {}): Connection {
  return {
    ...{ queueUrl: 'http://127.0.0.1:1/0/q', deadLetterQueueUrl: 'http://127.0.0.1:1/0/d', resultsBucket: 'my-bucket' },
    ...{ region: 'us-east-1', credentials: { accessKeyId: 'somebody', secretAccessKey: 'secret' } },
    ...(endpoint !== undefined && { endpoint }),
    ...more,
  };
}

const CALLS: [name: string, call: (connection: Connection) => Promise<unknown>][] = [
  ['enqueue', (connection) => enqueue(connection, ['https://host.example/1.jpg'], { job: 'cats' })],
  ['status', (connection) => status(connection, 'cats')],
  ['results', (connection) => results(connection, 'cats').next()],
  ['failures', (connection) => failures(connection, 'cats').next()],
];

async function errorOf(call: Promise<unknown>): Promise<LabelqueueError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof LabelqueueError) return error;
  throw new Error('expected a LabelqueueError', { cause: error });
}

/** Names of variables, options of the command, and the command. */
const OF_THE_COMMAND = /\b[A-Z][A-Z\d]*_[A-Z_]+\b|--\w|labelqueue \w|`labelqueue/;

const FAILURES: [what: string, connection: () => Promise<Connection>, text: string][] = [
  [
    'a service that does not run',
    async () => connectionTo(),
    '; is the service running, and is this the endpoint that it printed?',
  ],
  [
    'a missing bucket',
    async () => connectionTo(await answering(404, 'NoSuchBucket')),
    '; check resultsBucket and region of the connection',
  ],
  [
    'a wrong key',
    async () => connectionTo(await answering(403, 'InvalidAccessKeyId')),
    '; check credentials of the connection',
  ],
  [
    'a bucket of another region',
    async () => connectionTo(await answering(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1' })),
    '; the bucket is in another region: set region of the connection to eu-west-1',
  ],
  [
    'an endpoint that is not a URL',
    async () => connectionTo('localhost:9000'),
    '; expected http://HOST:PORT or https://HOST in endpoint of the connection',
  ],
  [
    'a name without an address',
    async () => connectionTo('http://minio.invalid:9000', { s3AddressingStyle: 'path' }),
    '; check the network, the proxy and endpoint of the connection',
  ],
  [
    'a region that is not one',
    async () => connectionTo(undefined, { region: 'us east' }),
    'not an AWS region: set region of the connection, e.g. to us-east-1',
  ],
];

test.each(
  FAILURES.flatMap(([what, connection, text]) => CALLS.map(([name, call]) => ({ what, name, connection, text, call }))),
)(
  '$name reports $what by the option of the connection',
  async ({ connection, text, call }) => {
    const error = await errorOf(call(await connection()));
    expect(error.message).toContain(text);
    expect(error.code).toBe('aws');
    expect(error.message).not.toMatch(OF_THE_COMMAND);
  },
  30_000,
);

test.each(CALLS)('%s names each setting that is missing or wrong', async (_name, call) => {
  const given = { queueUrl: '', resultsBucket: 'UPPER' } as Connection;
  const { code, message } = await errorOf(call(given));
  expect(code).toBe('invalid_settings');
  for (const name of ['queueUrl', 'deadLetterQueueUrl', 'resultsBucket']) expect(message).toContain(`\n  ${name}`);
  expect(message).not.toMatch(OF_THE_COMMAND);
});

test.each(CALLS)('%s without a connection names the fields that it expects', async (_name, call) => {
  for (const given of [undefined, null, 'https://host/queue']) {
    expect(await errorOf(call(given as unknown as Connection))).toMatchObject({
      code: 'invalid_settings',
      message: 'expected a connection: an object with queueUrl, deadLetterQueueUrl and resultsBucket',
    });
  }
});

/** In a process of its own: errors of sockets are not of the realm of Jest, where the SDK does not recognize them. */
test('a bucket in a host without an address is reported with the option that puts it into the path', async () => {
  const connection = connectionTo('http://minio.invalid:9000', { s3AddressingStyle: 'virtual' });
  const entry = pathToFileURL(join(import.meta.dirname, '../../npm/entries/index.ts')).href;
  const script = `import { status } from ${JSON.stringify(entry)};
    await status(${JSON.stringify(connection)}, 'cats').catch(({ message }) => console.log(message));`;
  const args = ['--input-type=module', '--no-warnings', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toContain("; s3AddressingStyle: 'path' does not put the bucket before the name");
});

test('a job that is unknown is reported with what to check', async () => {
  const aws = await startTestAws();
  try {
    const { environment, target } = aws;
    const { message } = await errorOf(
      status(
        connectionTo(environment['AWS_ENDPOINT_URL'], {
          resultsBucket: target.resultsBucket,
          credentials: {
            accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
            secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
          },
        }),
        'cats',
      ),
    );
    expect(message).toBe(
      `no job cats in the bucket ${target.resultsBucket}: check the name of the job, and resultsBucket of the connection`,
    );
  } finally {
    await aws.stop();
  }
});
