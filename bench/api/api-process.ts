/**
 * Run in a process of its own: the HTTP API as `labelqueue local` serves it, gateway and function on one
 * core. Its argument is an `ApiProcessOptions` as JSON. Told `batches`, it gives the sizes of the inference
 * batches since it was last asked.
 */
import { join } from 'node:path';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { startHttpGateway } from '../../local/http-gateway.ts';
import { API_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';
import { pinToCore } from '../pin-to-core.ts';

export type ApiProcessOptions = { environment: Record<string, string>; atOnce: number; core: number };
export type ApiReport = { address: string } | { batches: number[] };

const { environment, atOnce, core } = JSON.parse(process.argv[2] ?? '') as ApiProcessOptions;
// The function's process inherits it.
pinToCore(core);

let log = '';
const api = new ExecutionEnvironment<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
  handlerPath: join(import.meta.dirname, '../../functions/api/handler.ts'),
  functionName: 'labelqueue-api',
  timeoutSeconds: API_TIMEOUT_SECONDS,
  environment: { ...environment, POWERTOOLS_LOG_LEVEL: 'DEBUG' },
  onLog(text) {
    log += text;
  },
});
await api.initialize();
const { address } = await startHttpGateway({
  port: 0,
  atOnce,
  invoke: (event) => api.invoke(event),
  onFunctionError(error) {
    throw error;
  },
});
process.on('message', () => {
  const sizes = [...log.matchAll(/"message":"inference".*"images":(\d+)/g)].map(([, size]) => Number(size));
  log = '';
  process.send?.({ batches: sizes } satisfies ApiReport);
});
process.once('disconnect', () => process.exit(0));
process.send?.({ address } satisfies ApiReport);
