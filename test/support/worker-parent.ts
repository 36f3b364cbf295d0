/** A process with an execution environment: prints the id of the environment's process while that is at work. */
import { join } from 'node:path';
import { sqsRecord } from '../../testkit/sqs-record.ts';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';

const environment = new ExecutionEnvironment({
  handlerPath: join(import.meta.dirname, 'scripted-handler.ts'),
  timeoutSeconds: 60,
  environment: {},
  onLog: () => process.stdout.write(`${environment.pid}\n`),
});
await environment.invoke({ Records: [sqsRecord('hang')] });
