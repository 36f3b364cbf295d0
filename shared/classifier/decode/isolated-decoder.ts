/**
 * The entry point of the isolated process, which decodes one expensive picture: a decoder cannot be interrupted, but a process
 * can be killed. It loads sharp, and not TensorFlow.
 */
import { ImageFailure } from '../../contract/error-codes.ts';
import { leaveSignalsToParent } from '../../runtime/signals-of-parent.ts';
import type { ApartReport, ApartRequest } from './decode-apart.ts';
import { preferOomKill } from './out-of-memory.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

leaveSignalsToParent();
preferOomKill();
// Not `exit`, which waits for a running decoder.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.once('message', (request: ApartRequest) => void decodeOne(request));
report({ kind: 'ready' });

async function decodeOne({ picture, format }: ApartRequest): Promise<void> {
  const decoded = await decodeWithSharp(picture, format);
  if (decoded instanceof ImageFailure) report({ kind: 'error', code: decoded.code, message: decoded.message });
  else report({ kind: 'decoded', ...decoded });
}

function report(message: ApartReport): void {
  process.send?.(message);
}
