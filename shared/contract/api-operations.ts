/** The operations of the HTTP API, shared by function, stack and local server. Paths are in OpenAPI syntax. */
export const API_OPERATIONS = {
  classifyUrl: { method: 'GET', path: '/classify' },
  classifyBody: { method: 'POST', path: '/classify' },
  enqueueJob: { method: 'POST', path: '/jobs' },
  jobStatus: { method: 'GET', path: '/jobs/{job}' },
  health: { method: 'GET', path: '/healthz' },
  openapi: { method: 'GET', path: '/openapi.json' },
} as const;

/** The name of an operation. */
export type OperationName = keyof typeof API_OPERATIONS;
