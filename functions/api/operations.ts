import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import packageJson from '../../package.json' with { type: 'json' };
import { API_OPERATIONS, type OperationName } from '../../shared/contract/api-operations.ts';
import type { Operation } from './operation.ts';
import { classifyBody, classifyUrl } from './routes/classify.ts';
import { enqueueJob, jobStatus } from './routes/jobs.ts';
import { health, openapiOperation } from './routes/service.ts';

/** The handler of each operation. */
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  classifyUrl,
  classifyBody,
  enqueueJob,
  jobStatus,
  health,
  openapi: openapiOperation(openapiDocument),
};

/** The OpenAPI 3.1 document, from the schemas that check requests. */
function openapiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, { method, path }] of Object.entries(API_OPERATIONS)) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: OPERATIONS[name as OperationName].document };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'labelqueue',
      version: packageJson.version,
      description:
        'Labels images, one at a time or as jobs on a queue. On AWS each request is signed (IAM) or has a token (JWT).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: paths as ZodOpenApiPathsObject,
  });
}
