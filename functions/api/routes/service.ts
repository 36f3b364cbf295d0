import type { Operation } from '../operation.ts';
import { problemResponses } from '../problem-responses.ts';
import { documentSchema, healthSchema } from '../schemas.ts';

/** `GET /healthz`: a process that responds has loaded its model. */
export const health: Operation = {
  document: {
    operationId: 'health',
    summary: 'Report whether the model is loaded.',
    responses: {
      '200': { description: 'the model is loaded', content: { 'application/json': { schema: healthSchema } } },
      ...problemResponses([]),
    },
  },
  async handle(_request, { model }) {
    return { status: 200, body: { status: 'ok', model } };
  },
};

/** `GET /openapi.json`. @param documentOf generates the document on the first request, which most processes never get */
export function openapiOperation(documentOf: () => object): Operation {
  let document: object | undefined;
  return {
    document: {
      operationId: 'openapi',
      summary: 'This document.',
      responses: {
        '200': { description: 'OpenAPI 3.1', content: { 'application/json': { schema: documentSchema } } },
        ...problemResponses([]),
      },
    },
    async handle() {
      document ??= documentOf();
      return { status: 200, body: document };
    },
  };
}
