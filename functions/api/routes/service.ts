import type { Operation } from '../operation.ts';
import { problemResponses } from '../problem-responses.ts';
import { documentSchema, healthSchema } from '../schemas.ts';

/** Whoever can answer at all has its model loaded. */
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

/** @param documentOf makes the document when it is asked for: most processes never are */
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
