import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type Context, Hono } from 'hono';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import { API_OPERATIONS, type OperationName } from '../../shared/contract/api-operations.ts';
import { PROBLEM_MEDIA_TYPE } from '../../shared/contract/problem.ts';
import { SendError } from '../../shared/jobs/send-messages.ts';
import { whenAborted } from '../../shared/runtime/deadline.ts';
import { bodyOf, mediaTypeOf, routedRequest, toResult } from './gateway-event.ts';
import type { Answer, ApiDependencies, ApiRequest, Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';
import { ProblemResponse } from './problem.ts';
import type { RequestReport } from './telemetry.ts';

/** Responds to one request in API Gateway's payload format 2.0. Concurrent calls are allowed. */
export type Api = (event: APIGatewayProxyEventV2, signal: AbortSignal) => Promise<APIGatewayProxyStructuredResultV2>;

/** What accompanies a request through the router. */
type Bindings = { event: APIGatewayProxyEventV2; signal: AbortSignal; report: RequestReport };
type ApiContext = Context<{ Bindings: Bindings }>;

/** Builds the API: its router, with one handler per operation. */
export function createApi(dependencies: ApiDependencies): Api {
  const { telemetry } = dependencies;
  const router = createRouter(dependencies);
  return async (event, signal) => {
    const started = performance.now();
    const { requestId } = event.requestContext;
    const report: RequestReport = { requestId, route: undefined, status: 500, milliseconds: 0, stages: {} };
    const response = await router.fetch(routedRequest(event), { event, signal, report });
    telemetry.request({ ...report, status: response.status, milliseconds: performance.now() - started });
    return toResult(response);
  };
}

function createRouter(dependencies: ApiDependencies): Hono<{ Bindings: Bindings }> {
  const router = new Hono<{ Bindings: Bindings }>();
  const methods = new Map<string, string[]>();
  for (const [name, { method, path }] of Object.entries(API_OPERATIONS)) {
    const operation = OPERATIONS[name as OperationName];
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    methods.set(pattern, [...(methods.get(pattern) ?? []), method]);
    router.on(method, pattern, async (context) => {
      context.env.report.route = `${method} ${path}`;
      return respond(context, await operationAnswer(operation, context, dependencies));
    });
  }
  for (const [pattern, allowed] of methods) {
    router.all(pattern, (context) => {
      const allow = allowed.join(', ');
      const { method } = context.env.event.requestContext.http;
      return respond(context, new ProblemResponse('method_not_allowed', `expected ${allow}, got ${method}`, { allow }));
    });
  }
  router.notFound((context) =>
    respond(context, new ProblemResponse('no_such_route', 'expected one of the paths in /openapi.json')),
  );
  router.onError((error, context) => {
    dependencies.telemetry.unexpectedError(context.env.report.requestId, error);
    return respond(context, new ProblemResponse('internal_error', 'the request failed; its log line has the reason'));
  });
  return router;
}

async function operationAnswer(
  { handle }: Operation,
  context: ApiContext,
  dependencies: ApiDependencies,
): Promise<Answer | ProblemResponse> {
  const request = requestOf(context);
  try {
    // Work in progress may still complete after a timeout: an interrupted job is resumed.
    return await Promise.race([handle(request, dependencies), whenAborted(request.signal, outOfTime)]);
  } catch (error) {
    if (!isFromAws(error)) throw error;
    dependencies.telemetry.unexpectedError(context.env.report.requestId, error);
    return new ProblemResponse(
      'service_unavailable',
      error instanceof SendError ? error.message : `AWS returned ${error.name}`,
    );
  }
}

function outOfTime(): ProblemResponse {
  return new ProblemResponse('deadline_exceeded', 'the request did not finish in time');
}

/** Every error of the SDK has `$metadata`, even without a response. */
function isFromAws(error: unknown): error is Error {
  return error instanceof SendError || (Error.isError(error) && '$metadata' in error);
}

function requestOf({ env: { event, signal, report }, req }: ApiContext): ApiRequest {
  return {
    query: Object.fromEntries(
      Object.entries(req.queries()).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
    ),
    path: req.param(),
    mediaType: mediaTypeOf(event),
    body: bodyOf(event),
    signal,
    time(stage: TimedStage, milliseconds: number) {
      report.stages[stage] = milliseconds;
    },
  };
}

function respond({ env }: ApiContext, answer: Answer | ProblemResponse): Response {
  const isProblem = answer instanceof ProblemResponse;
  if (isProblem) env.report.problem = answer.code;
  return new Response(JSON.stringify(isProblem ? answer.document : answer.body), {
    status: answer.status,
    headers: {
      'content-type': isProblem ? PROBLEM_MEDIA_TYPE : 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...answer.headers,
    },
  });
}
