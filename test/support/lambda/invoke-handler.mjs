// @ts-check
// node invoke-handler.mjs MODULE EVENT: invokes the module's handler once. The last line printed is JSON: what it
// answered, and what the process is.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , module = '', event = ''] = process.argv;
const { handler } = await import(pathToFileURL(module).href);
const response = await handler(JSON.parse(event), {
  awsRequestId: '00000000-0000-4000-8000-000000000000',
  functionName: 'classify',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:classify',
  memoryLimitInMB: '1769',
  getRemainingTimeInMillis: () => 600_000,
});
process.stdout.write(`\n${JSON.stringify({ response, processor: process.arch, processorList: processorList() })}\n`);
process.exit(0);

function processorList() {
  try {
    return readFileSync('/sys/devices/system/cpu/possible', 'utf8');
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code;
  }
}
