/**
 * The entry point of an execution environment's process: does what Lambda's runtime does for a handler, with messages of the
 * parent process in place of the Runtime API.
 */
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import { leaveSignalsToParent } from '../shared/runtime/signals-of-parent.ts';
import type { InvocationRequest, RuntimeReport } from './function-process.ts';

type Handler = (event: unknown, context: Context) => Promise<unknown>;

leaveSignalsToParent();
// The parent has exited, or wants this process to end, possibly while it still loads: no response is needed.
process.once('disconnect', () => process.exit(0));
const [, , handlerPath = '', functionName = ''] = process.argv;
const handler = await initialize();
if (handler !== undefined) {
  process.on('message', (request: InvocationRequest) => void answer(handler, request));
  report({ kind: 'initialized' });
}

async function initialize(): Promise<Handler | undefined> {
  try {
    const loaded: { handler: Handler } = await import(pathToFileURL(handlerPath).href);
    return loaded.handler;
  } catch (error) {
    // The parent then kills this process.
    report({ kind: 'not initialized', message: describe(error) });
    return undefined;
  }
}

async function answer(handler: Handler, { requestId, event, deadline }: InvocationRequest): Promise<void> {
  try {
    const response = await handler(event, contextOf(requestId, deadline));
    report({ kind: 'response', requestId, response, rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    report({ kind: 'error', requestId, message: describe(error) });
  }
}

function contextOf(awsRequestId: string, deadline: number): Context {
  return {
    awsRequestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '1769',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: String(process.pid),
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: unsupported,
    fail: unsupported,
    succeed: unsupported,
  };
}

function unsupported(): never {
  throw new Error('expected a handler that returns a promise, it called a callback of the context');
}

function report(message: RuntimeReport): void {
  process.send?.(message);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
