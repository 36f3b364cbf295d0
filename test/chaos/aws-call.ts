import { type Agent, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A request on its way to AWS. */
export type Call = {
  body: Buffer;
  response: ServerResponse;
  /** Has the effect at AWS, with another body if one is given, and resolves with AWS's answer. */
  forward(body?: Buffer): Promise<Answer>;
};

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

export function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

type Question = { agent: Agent; method: string | undefined; headers: IncomingHttpHeaders; signal: AbortSignal };

export function ask(url: URL, { headers, ...options }: Question, body: Buffer): Promise<Answer> {
  // The body is whole here, and may have another length than the one that came.
  const { 'transfer-encoding': _, expect: __, ...kept } = headers;
  return new Promise((resolve, reject) => {
    request(url, { ...options, headers: { ...kept, 'content-length': body.length } }, (response) => {
      const { statusCode = 0, headers } = response;
      buffer(response).then((body) => resolve({ status: statusCode, headers, body }), reject);
    })
      .once('error', reject)
      .end(body);
  });
}
