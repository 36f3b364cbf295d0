import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';

const STOP_SIGNALS = join(import.meta.dirname, '../../worker/stop-signals.ts');
const PROGRAM = `
import { firstSignal } from ${JSON.stringify(STOP_SIGNALS)};
setInterval(() => {}, 60_000);
firstSignal().then((signal) => console.log(signal));
console.log('listens');
`;

test('the second signal ends the process explicitly: the system does not end the first process of a container', async () => {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', PROGRAM]);
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(String(await once(child.stdout, 'data'))).toBe('SIGTERM\n');
  child.kill('SIGTERM');
  await delay(600);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([143, null]);
});
