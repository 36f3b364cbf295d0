/** Starts an execution environment while this process has no file left to open, and again when it has. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ExecutionEnvironment } from '../../worker/execution-environment.ts';

const handlerPath = join(import.meta.dirname, 'scripted-handler.ts');
const environment = new ExecutionEnvironment({ handlerPath, timeoutSeconds: 30, environment: {}, onLog() {} });
const files = allFiles();
const refused = await environment.initialize().catch(({ name, message }: Error) => `${name}: ${message}`);
for (const file of files) closeSync(file);
await environment.initialize();
process.stdout.write(`${JSON.stringify({ refused, isRunning: environment.pid !== undefined })}\n`);
await environment.shutDown();

function allFiles(): number[] {
  const opened: number[] = [];
  for (;;) {
    try {
      opened.push(openSync('/dev/null', 'r'));
    } catch {
      return opened;
    }
  }
}
