import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { EmbeddedAws } from '../../local/embedded-aws.ts';

/** Which requests go wrong: writes of objects below a prefix, or an SQS action on a queue. */
export type FaultTarget =
  | { put: string }
  | { action: string; queue: 'labelqueue' | 'labelqueue-dlq' | 'labelqueue-job-ends.fifo' };

export type Fault =
  /** An error in place of the effect. */
  | 500
  /** A right that is missing. */
  | 403
  | 503
  /** The connection ends before AWS has seen the request. */
  | 'cut'
  /** The request has its effect; the connection ends in place of the answer. */
  | 'reply lost'
  /** No answer, no effect, for as long as the client waits. */
  | 'silence'
  /** Of a batch of messages, all but the last have their effect. */
  | 'last entry refused';

/**
 * Stands between SDK clients and the embedded AWS, and makes one kind of request go wrong, in one way, always or a number
 * of times, until it is healed. What is not meant passes through as it is.
 */
export type TargetedFaults = AsyncDisposable & {
  /** The environment of the embedded AWS as clients see it through the faults. */
  environment: EmbeddedAws['environment'];
  clientConfig: EmbeddedAws['clientConfig'];
  /** @param times how many requests go wrong; all by default */
  inject(target: FaultTarget, fault: Fault, times?: number): void;
  /** How many requests went wrong since the faults were injected. */
  hits(): number;
  /** @returns how many requests went wrong since the faults were injected */
  heal(): number;
};

/** @param onCall called for each request, whatever its outcome */
export async function startTargetedFaults(
  aws: EmbeddedAws,
  onCall: (call: Call) => void = () => {},
): Promise<TargetedFaults> {
  const upstream = aws.environment.AWS_ENDPOINT_URL;
  let faults: { target: FaultTarget; fault: Fault; remaining: number }[] = [];
  let hits = 0;
  const server = createServer(async (request, response) => {
    const call = await read(request);
    onCall(call);
    const hit = faults.find(({ target, remaining }) => remaining > 0 && isHit(target, call));
    if (hit === undefined) return reply(response, await forward(upstream, call));
    hits++;
    hit.remaining--;
    await FAULTS[hit.fault](call, response, (changed = call) => forward(upstream, changed));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const through = (url: string) => url.replace(upstream, endpoint);
  return {
    environment: {
      ...aws.environment,
      AWS_ENDPOINT_URL: endpoint,
      QUEUE_URL: through(aws.environment.QUEUE_URL),
      DEAD_LETTER_QUEUE_URL: through(aws.environment.DEAD_LETTER_QUEUE_URL),
    },
    clientConfig: { ...aws.clientConfig, endpoint },
    inject(target, fault, times = Number.POSITIVE_INFINITY) {
      faults.push({ target, fault, remaining: times });
    },
    hits: () => hits,
    heal() {
      const hitsSoFar = hits;
      faults = [];
      hits = 0;
      return hitsSoFar;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A request to SQS or S3. */
export type Call = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };
type Answer = { status: number; headers: Record<string, string>; body: Buffer };
type Forward = (changed?: Call) => Promise<Answer>;

async function read(request: IncomingMessage): Promise<Call> {
  const { method = '', url = '/', headers } = request;
  return { method, path: url, headers, body: await buffer(request) };
}

function isHit(target: FaultTarget, { method, path, headers, body }: Call): boolean {
  // S3 as /bucket/key; SQS as JSON with the action in a header and the queue's URL in the body.
  if ('put' in target)
    return method === 'PUT' && decodeURIComponent(path.replace(/^\/[^/]+\//, '')).startsWith(target.put);
  if (headers['x-amz-target'] !== `AmazonSQS.${target.action}`) return false;
  const { QueueUrl }: { QueueUrl: string } = JSON.parse(body.toString());
  return QueueUrl.endsWith(`/${target.queue}`);
}

async function forward(upstream: string, { method, path, headers, body }: Call): Promise<Answer> {
  const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, expect: _____, ...kept } = headers;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const response = await fetch(upstream + path, {
    method,
    headers: kept as Record<string, string>,
    ...(hasBody && { body: new Uint8Array(body) }),
  });
  const { connection: _connection, 'keep-alive': _keepAlive, ...own } = Object.fromEntries(response.headers);
  return { status: response.status, headers: own, body: Buffer.from(await response.arrayBuffer()) };
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

const FAULTS: Record<Fault, (call: Call, response: ServerResponse, forward: Forward) => Promise<void> | void> = {
  500: (_call, response) => void response.writeHead(500).end(),

  403: (_call, response) =>
    reply(response, {
      ...json({ __type: 'com.amazon.coral.service#AccessDeniedException', message: 'no right' }),
      status: 403,
    }),

  503: (_call, response) => void response.writeHead(503).end(),

  cut: (_call, response) => void response.destroy(),

  'reply lost': async (_call, response, forward) => {
    await forward();
    response.destroy();
  },

  silence: () => {},

  'last entry refused': async (call, response, forward) => {
    const { Entries, ...others }: { Entries: { Id: string }[] } = JSON.parse(call.body.toString());
    const [last] = Entries.splice(-1);
    const refused = { Id: last?.Id, SenderFault: false, Code: 'ServiceUnavailable', Message: 'refused by the test' };
    if (Entries.length === 0) return reply(response, json({ Successful: [], Failed: [refused] }));
    const answer = await forward({ ...call, body: Buffer.from(JSON.stringify({ ...others, Entries })) });
    const { Successful, Failed } = JSON.parse(answer.body.toString());
    reply(response, json({ Successful, Failed: [...Failed, refused] }));
  },
};

function json(value: object): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
