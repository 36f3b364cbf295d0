import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { UNTRUSTED_CERTIFICATE } from '../support/untrusted-certificate.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What `status` prints when S3 is at an endpoint. */
async function complaint(endpoint: string, environment: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['status', 'cats'], {
    environment: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'somebody',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_MAX_ATTEMPTS: '1',
      QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/q',
      DEAD_LETTER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/dlq',
      RESULTS_BUCKET: 'my-bucket',
      ...environment,
    },
  });
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/\n {4}at |bug/);
  return stderr;
}

async function complaintAbout(answer: RequestListener): Promise<string> {
  const endpoint = `http://127.0.0.1:${await listening(createServer(answer))}`;
  return (await complaint(endpoint)).replace(endpoint, 'ENDPOINT');
}

/** An error as S3 sends it. */
function s3Error(status: number, code: string, message: string, headers = {}): RequestListener {
  const document = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return (_request, response) => void response.writeHead(status, headers).end(document);
}

test.each([
  [
    'http://127.0.0.1:1',
    'S3 at http://127.0.0.1:1 cannot be reached for GetObject: ECONNREFUSED; is `labelqueue local` running',
  ],
  [
    'http://minio.invalid:9000',
    'S3 at http://minio.invalid:9000 cannot be reached for GetObject: ENOTFOUND, no address for the name minio.invalid; check the network, the proxy and AWS_ENDPOINT_URL_S3',
  ],
  ['localhost:9000', 'S3 has no valid endpoint: '],
])('an endpoint that leads nowhere is named with service, call and variable: %s', async (endpoint, text) => {
  expect(await complaint(endpoint)).toContain(text);
});

test.each<[what: string, answer: RequestListener, text: string]>([
  [
    'a permission that is missing',
    s3Error(403, 'AccessDenied', 'Access Denied'),
    'S3 at ENDPOINT answered GetObject with AccessDenied: Access Denied; the credentials need the permission s3:GetObject and s3:ListBucket\n',
  ],
  [
    'an unknown key',
    s3Error(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.'),
    '; check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n',
  ],
  [
    'another region',
    s3Error(301, 'PermanentRedirect', 'The bucket must be addressed elsewhere.', {
      'x-amz-bucket-region': 'eu-west-1',
    }),
    'S3 at ENDPOINT answered GetObject with PermanentRedirect: The bucket must be addressed elsewhere.; the bucket is in another region: set AWS_REGION=eu-west-1\n',
  ],
  [
    'another region in a signature',
    s3Error(400, 'AuthorizationHeaderMalformed', "the region 'us-east-1' is wrong; expecting 'eu-west-1'"),
    '; the bucket is in another region: set AWS_REGION=eu-west-1\n',
  ],
  [
    'credentials that have expired',
    s3Error(400, 'ExpiredToken', 'The provided token has expired.'),
    '; the credentials have expired: get new ones, e.g. with aws sso login\n',
  ],
  [
    'a wrong clock',
    s3Error(403, 'RequestTimeTooSkewed', 'The difference is too large.'),
    '; the clock of this machine is wrong: set it\n',
  ],
  [
    'a bucket that is missing',
    s3Error(404, 'NoSuchBucket', 'The specified bucket does not exist'),
    '; check RESULTS_BUCKET and AWS_REGION\n',
  ],
  [
    'another service',
    (_request, response) => void response.writeHead(200).end('<html><body>Hello<br></body></html>'),
    'labelqueue: expected the description of a job in s3://my-bucket/jobs/cats/job.json, got "<html><body>',
  ],
])('%s is one line with service, address, call and what to do', async (_what, answer, text) => {
  const stderr = await complaintAbout(answer);
  expect(stderr).toContain(text);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('an untrusted certificate and a server without TLS are reported as such', async () => {
  const tls = createTlsServer(UNTRUSTED_CERTIFICATE) as unknown as Server;
  expect(await complaint(`https://127.0.0.1:${await listening(tls)}`)).toContain(
    'its certificate is not trusted: name a file with its issuer in NODE_EXTRA_CA_CERTS',
  );
  const plain = createServer((_request, response) => void response.end());
  expect(await complaint(`https://127.0.0.1:${await listening(plain)}`)).toContain(
    'it does not speak HTTPS: begin AWS_ENDPOINT_URL_S3 with http://',
  );
});
