import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Semaphore } from 'async-mutex';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { MAX_GATEWAY_BODY_BYTES, MAX_GATEWAY_HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../shared/contract/limits.ts';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, problemDocument } from '../shared/contract/problem.ts';
import { FunctionError } from './execution-environment.ts';
import { gatewayEvent, sendResult } from './gateway-event.ts';

/** As long as API Gateway waits for a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Far above what is taken, so that what is refused is told so in words. */
const MAX_PARSED_HEADER_BYTES = 512 * 1_024;

export type HttpGatewayOptions = {
  /** 0 for any free one. */
  port: number;
  /** The function that answers. */
  invoke(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2>;
  /** Requests that the function is given at once; others wait, their bodies unread. */
  atOnce: number;
  /** Told of each invocation that failed as a whole. */
  onFunctionError: (error: FunctionError) => void;
};

/** An HTTP server in the place of API Gateway. */
export type HttpGateway = {
  /** E.g. `http://127.0.0.1:4567`. */
  address: string;
  /** Answers the requests in hand, and takes no more. */
  stop(): Promise<void>;
};

/**
 * Listens on loopback and gives each request to a function as API Gateway does. Requests whose Host is
 * not this machine's are refused: a page of the web may have its name lead here (DNS rebinding).
 */
export async function startHttpGateway(options: HttpGatewayOptions): Promise<HttpGateway> {
  const slots = new Semaphore(options.atOnce);
  const parsing = { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: MAX_PARSED_HEADER_BYTES };
  const server = createServer(parsing, (request, response) => {
    // A connection that is kept open after a stop would hold it up.
    response.once('finish', () => {
      if (!server.listening) request.socket.end();
    });
    if (!isOwnHost(request.headers.host, port)) {
      sendProblem(response, 'host_not_allowed', `expected the Host 127.0.0.1:${port} or localhost:${port}`);
      return;
    }
    const headerBytes = headerBytesOf(request);
    if (headerBytes > MAX_GATEWAY_HEADER_BYTES) {
      const detail = `expected address and headers of at most ${MAX_GATEWAY_HEADER_BYTES} bytes, got ${headerBytes}`;
      sendProblem(response, 'header_too_large', detail);
      return;
    }
    slots
      .runExclusive(() => answer(request, response, options))
      // A caller that went away, or a defect: nobody is left to tell.
      .catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', () => resolve()),
  );
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

function headerBytesOf({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((bytes, text) => bytes + text.length, method.length + url.length);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { invoke, onFunctionError }: HttpGatewayOptions,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    return sendProblem(response, 'body_too_large', `expected at most ${MAX_GATEWAY_BODY_BYTES} bytes, got more`);
  }
  const event = gatewayEvent(request, body);
  if (Buffer.byteLength(event.body ?? '') > MAX_PAYLOAD_BYTES) {
    const limit = event.isBase64Encoded ? (MAX_PAYLOAD_BYTES / 4) * 3 : MAX_PAYLOAD_BYTES;
    return sendProblem(response, 'body_too_large', `expected at most ${limit} bytes, got ${body.length}`);
  }
  try {
    sendResult(response, await invoke(event));
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    onFunctionError(error);
    sendProblem(response, 'internal_error', 'the function that answers ended without an answer; the log tells why');
  }
}

/** @returns undefined when there is more than API Gateway takes; it is read to its end all the same, so that the answer is */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_GATEWAY_BODY_BYTES) chunks.push(chunk);
    else chunks = [];
  }
  return bytes <= MAX_GATEWAY_BODY_BYTES ? Buffer.concat(chunks, bytes) : undefined;
}

function sendProblem(response: ServerResponse, code: ProblemCode, detail: string): void {
  const document = problemDocument(code, detail);
  sendResult(response, {
    statusCode: document.status,
    headers: { 'content-type': PROBLEM_MEDIA_TYPE },
    body: JSON.stringify(document),
  });
}
