import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Semaphore } from 'async-mutex';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { API_OPERATIONS } from '../shared/contract/api-operations.ts';
import { MAX_GATEWAY_BODY_BYTES, MAX_GATEWAY_HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../shared/contract/limits.ts';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, problemDocument } from '../shared/contract/problem.ts';
import { isFromAnotherOrigin, isLoopbackName, parseHost } from '../shared/contract/web-origin.ts';
import { FunctionError } from '../worker/execution-environment.ts';
import { gatewayEvent, sendResult } from './gateway-event.ts';
import { type BodyProblem, UPLOAD_LIMITS, type UploadLimits, Uploads } from './uploads.ts';

/** Far above the limit, so that too large headers get an answer with a reason. */
const MAX_PARSED_HEADER_BYTES = 512 * 1_024;

/** How long a stop waits, after the last response of the function, for clients that do not read or send. */
const STOP_WAITS_MS = 5_000;

export type HttpGatewayOptions = {
  /** 0 for any free port. */
  port: number;
  /** Invokes the function of the API. */
  invoke(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2>;
  /** Concurrent invocations; other requests wait. Health checks never wait. */
  atOnce: number;
  /** Limits for request bodies. */
  uploads?: Partial<UploadLimits>;
  /** Handles requests that are not for the API, with its own access checks: see `isBeside`. */
  beside?: RequestListener;
  /** Called for each invocation that failed as a whole. */
  onFunctionError: (error: FunctionError) => void;
};

/** An HTTP server in place of API Gateway. */
export type HttpGateway = {
  /** E.g. `http://127.0.0.1:4567`. */
  address: string;
  /** Answers the requests in progress and accepts no more. Stalled connections are closed after some seconds. */
  stop(): Promise<void>;
};

/**
 * Listens on loopback and gives each request to a function as API Gateway does. Requests with a Host other than this
 * machine are refused (DNS rebinding), and so are requests that a browser sends for a page of another origin.
 */
export async function startHttpGateway(options: HttpGatewayOptions): Promise<HttpGateway> {
  const gate = { ...options, slots: new Semaphore(options.atOnce), uploads: new Uploads(options.uploads) };
  const parsing = { requestTimeout: UPLOAD_LIMITS.wholeMs, maxHeaderSize: MAX_PARSED_HEADER_BYTES };
  const server = createServer(parsing, (request, response) => {
    // A keep-alive connection would delay the stop.
    response.once('finish', () => {
      if (!server.listening) request.socket.end();
    });
    if (options.beside !== undefined && isBeside(request)) return options.beside(request, response);
    const refusal = refusalOf(request, port);
    if (refusal !== undefined) return sendProblem(response, ...refusal);
    answer(request, response, gate)
      // The client disconnected, or a bug: no response can be sent.
      .catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', () => resolve()),
  );
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    stop: () => stopped(server, gate.slots.waitForUnlock(options.atOnce)),
  };
}

/** @param answered resolves when the function has answered all its requests */
async function stopped(server: Server, answered: Promise<void>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const ended = new AbortController();
  answered
    .then(() => delay(STOP_WAITS_MS, undefined, { signal: ended.signal }))
    .then(
      () => server.closeAllConnections(),
      () => undefined,
    );
  await closed;
  ended.abort();
}

/** Whether a request is for the dashboard: its page at `/`, and the requests of that page. */
function isBeside({ url = '' }: IncomingMessage): boolean {
  return /^\/(?:$|\?|assets\/|api\/|metrics$)/.test(url);
}

type Refusal = [code: ProblemCode, detail: string];

/** Checks a request before its body is read. */
function refusalOf(request: IncomingMessage, port: number): Refusal | undefined {
  const host = parseHost(request.headers.host);
  if (host === undefined || !isLoopbackName(host.name) || host.port !== port) {
    return ['host_not_allowed', `expected the Host 127.0.0.1:${port}, localhost:${port} or [::1]:${port}`];
  }
  if (isFromAnotherOrigin(request.headers)) {
    return ['origin_not_allowed', 'expected a request of a program, or of a page of this server'];
  }
  const headerBytes = headerBytesOf(request);
  if (headerBytes <= MAX_GATEWAY_HEADER_BYTES) return undefined;
  const detail = `expected address and headers of at most ${MAX_GATEWAY_HEADER_BYTES} bytes, got ${headerBytes}`;
  return ['header_too_large', detail];
}

function headerBytesOf({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((bytes, text) => bytes + text.length, method.length + url.length);
}

type Gate = HttpGatewayOptions & { slots: Semaphore; uploads: Uploads };

/** The body is read before a slot is taken: a stalled body does not delay other requests. */
async function answer(request: IncomingMessage, response: ServerResponse, gate: Gate): Promise<void> {
  using upload = gate.uploads.begin(request);
  const body = await upload.body();
  if (typeof body === 'string') return refuseBody(request, response, body);
  const event = gatewayEvent(request, body);
  if (Buffer.byteLength(event.body ?? '') > MAX_PAYLOAD_BYTES) {
    const limit = event.isBase64Encoded ? (MAX_PAYLOAD_BYTES / 4) * 3 : MAX_PAYLOAD_BYTES;
    return sendProblem(response, 'body_too_large', `expected at most ${limit} bytes, got ${body.length}`);
  }
  if (isHealth(event)) return invoke(response, event, gate);
  await gate.slots.runExclusive(() => invoke(response, event, gate));
}

const BODY_PROBLEMS: Record<BodyProblem, string> = {
  body_too_large: `expected at most ${MAX_GATEWAY_BODY_BYTES} bytes, got more`,
  upload_timeout: 'the body did not arrive in time',
  too_many_uploads: 'too many bodies are being sent at once',
};

/** Does not wait for the rest of the body. */
function refuseBody(request: IncomingMessage, response: ServerResponse, problem: BodyProblem): void {
  if (!request.complete) response.setHeader('connection', 'close');
  sendProblem(response, problem, BODY_PROBLEMS[problem]);
}

function isHealth({ rawPath, requestContext: { http } }: APIGatewayProxyEventV2): boolean {
  const { method, path } = API_OPERATIONS.health;
  return rawPath === path && http.method === method;
}

async function invoke(response: ServerResponse, event: APIGatewayProxyEventV2, gate: Gate): Promise<void> {
  try {
    sendResult(response, await gate.invoke(event));
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    gate.onFunctionError(error);
    sendProblem(response, 'internal_error', 'the function of the API exited without a response; see the log');
  }
}

function sendProblem(response: ServerResponse, code: ProblemCode, detail: string): void {
  const document = problemDocument(code, detail);
  sendResult(response, {
    statusCode: document.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE },
    body: JSON.stringify(document),
  });
}
