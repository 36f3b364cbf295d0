import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createJobTarget, type JobTarget } from '../../shared/jobs/job-target.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

/** A request as S3 and SQS know it: `LIST`, `GET`, `PUT`, `DELETE`, or the name of an SQS action. */
export type AwsCall = string;
/**
 * What becomes of a request: `pass` brings it to AWS, whose answer is then given unless the connection was cut, or another
 * answer was given in its place.
 */
export type Interceptor = (
  call: AwsCall,
  pass: () => Promise<void>,
  cut: () => void,
  answer: (reply: Omit<Reply, 'headers'> & { headers?: Record<string, string> }) => void,
) => Promise<void>;

/** The embedded AWS, and the same behind a proxy for what is tested: the test can delay, cut and answer its requests. */
export type InterceptedAws = AsyncDisposable & {
  aws: TestAws;
  /** Behind the network; the SDK does not try again by itself. */
  intercepted: JobTarget;
  /** What points a command at it. */
  environment: Record<string, string>;
  intercept(rule: Interceptor): void;
};

export async function startInterceptedAws(): Promise<InterceptedAws> {
  const aws = await startTestAws();
  const upstream = new URL(aws.environment.AWS_ENDPOINT_URL);
  let rule: Interceptor = (_call, pass) => pass();
  const server = createServer(async (incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    const body = await buffer(incoming);
    let give = () => void answer.destroy();
    const pass = async () => {
      const reply = await ask(upstream, { method, path: url, headers }, body);
      give = () => void answer.writeHead(reply.status, reply.headers).end(reply.body);
    };
    const answerOf: Parameters<Interceptor>[3] = ({ status, headers: own = {}, body: text }) => {
      give = () => void answer.writeHead(status, own).end(text);
    };
    await rule(callOf(method, url, headers), pass, () => void answer.destroy(), answerOf);
    if (!answer.destroyed) give();
  });
  // A busy machine may take longer from one request to the next: then both ends would close and use a connection at once.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const through = Object.entries(aws.environment).map(([name, value]) => [
    name,
    value.replace(upstream.origin, endpoint),
  ]);
  const environment: Record<string, string> = Object.fromEntries(through);
  const settings = jobSettingsFrom(environment);
  const intercepted = createJobTarget(settings, { ...aws.clientConfig, endpoint, maxAttempts: 1 });
  return {
    aws,
    intercepted,
    environment,
    intercept(changed) {
      rule = changed;
    },
    async [Symbol.asyncDispose]() {
      intercepted.s3.destroy();
      intercepted.sqs.destroy();
      server.close();
      server.closeAllConnections();
      await aws.stop();
    },
  };
}

function callOf(method: string, url: string, headers: IncomingHttpHeaders): AwsCall {
  const action = headers['x-amz-target'];
  if (typeof action === 'string') return action.replace('AmazonSQS.', '');
  return url.includes('list-type=2') ? 'LIST' : method;
}

type Question = { method: string; path: string; headers: IncomingHttpHeaders };
type Reply = { status: number; headers: IncomingHttpHeaders; body: Buffer | string };

/** A connection per request: see above. */
const AGENT = new Agent({ keepAlive: false });

function ask({ hostname, port }: URL, question: Question, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ agent: AGENT, hostname, port, ...question });
    outgoing.once('error', reject);
    outgoing.once('response', async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) });
    });
    outgoing.end(body);
  });
}
