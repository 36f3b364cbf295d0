import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The error a function reported, as Lambda's runtime clients send it. */
export type ReportedError = { errorType: string; errorMessage: string };

/** What the function has done: its answer to an event, or an error. */
export type Invoked<Response> = { response: Response } | { error: ReportedError };

/**
 * The Lambda Runtime API on this machine, for one execution environment: hands events out one after
 * another and takes what the function answers.
 */
export type RuntimeApi<Event, Response> = AsyncDisposable & {
  /** host:port, as in AWS_LAMBDA_RUNTIME_API */
  address: string;
  /**
   * Resolves with what the function did with the event, also when it failed to start.
   *
   * @param timeoutSeconds the time that the function gets for the event
   */
  invoke(event: Event, timeoutSeconds: number): Promise<Invoked<Response>>;
};

type Invocation = { id: string; body: string; timeoutSeconds: number; settle: (invoked: Invoked<never>) => void };

const PREFIX = '/2018-06-01/runtime/';

export async function startRuntimeApi<Event, Response>(): Promise<RuntimeApi<Event, Response>> {
  const waiting: Invocation[] = [];
  const running = new Map<string, Invocation>();
  let hungry: ServerResponse | undefined;

  const hand = () => {
    if (hungry === undefined) return;
    const invocation = waiting.shift();
    if (invocation === undefined) return;
    running.set(invocation.id, invocation);
    hungry.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(Date.now() + invocation.timeoutSeconds * 1_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:classify',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0',
    });
    hungry.end(invocation.body);
    hungry = undefined;
  };

  const settle = (id: string, invoked: Invoked<never>) => {
    running.get(id)?.settle(invoked);
    running.delete(id);
  };

  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.slice(PREFIX.length) ?? '';
    if (path === 'invocation/next') {
      hungry = response;
      hand();
      return;
    }
    const body = await textOf(request);
    response.writeHead(202).end();
    const [, id = '', kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (kind === 'response') settle(id, { response: JSON.parse(body) as never });
    if (kind === 'error') settle(id, { error: JSON.parse(body) as ReportedError });
    if (path === 'init/error') {
      for (const invocation of waiting.splice(0)) invocation.settle({ error: JSON.parse(body) as ReportedError });
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    invoke: (event, timeoutSeconds) =>
      new Promise((resolve) => {
        const settleIt = resolve as (invoked: Invoked<never>) => void;
        waiting.push({ id: randomUUID(), body: JSON.stringify(event), timeoutSeconds, settle: settleIt });
        hand();
      }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
