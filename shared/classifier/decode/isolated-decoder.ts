/**
 * The process of its own in which one picture is decoded that looks expensive: nothing can break off a decoder, but
 * the system can end a process. It loads sharp and nothing of TensorFlow.
 */
import { ImageFailure } from '../../contract/error-codes.ts';
import { leaveSignalsToParent } from '../../runtime/signals-of-parent.ts';
import type { ApartReport, ApartRequest } from './decode-apart.ts';
import { preferOomKill } from './out-of-memory.ts';
import { decodeWithSharp } from './sharp-decoder.ts';

leaveSignalsToParent();
preferOomKill();
// Not `exit`, which waits for a decoder that runs.
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
