import { join } from 'node:path';
import type { SQSRecord } from 'aws-lambda';
import { FUNCTION_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import type { Measurement } from '../support/measured-handler.ts';
import { measurementReader } from '../support/measured-log.ts';

const HANDLER = join(import.meta.dirname, '../support/measured-handler.ts');

/** A worker in a process of its own that says after each invocation what it holds. */
export type MeasuredWorker = AsyncDisposable & {
  /** Without records it waits until nothing is left to wait for. */
  invoke(records: SQSRecord[]): Promise<Measurement>;
};

export async function startMeasuredWorker(environment: Record<string, string>): Promise<MeasuredWorker> {
  let next = Promise.withResolvers<Measurement>();
  const worker = new ExecutionEnvironment({
    handlerPath: HANDLER,
    timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    environment,
    onLog: measurementReader((measurement) => next.resolve(measurement)),
  });
  await worker.initialize();
  return {
    async invoke(Records) {
      next = Promise.withResolvers();
      const { batchItemFailures } = await worker.invoke({ Records });
      if (batchItemFailures.length > 0) throw new Error(`expected no message to fail, ${batchItemFailures.length} did`);
      return next.promise;
    },
    [Symbol.asyncDispose]: () => worker.shutDown(),
  };
}
