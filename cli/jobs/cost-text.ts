import { formatDuration } from '../../dashboard/page/numbers.js';
import { ASSUMED, assumedText } from '../../shared/cost.ts';
import type { ComputingTime } from '../../shared/jobs/measured-time.ts';

/**
 * What the cost of a job is made of, e.g. `12.3 s of x86_64 with 1,769 MB, as its workers measured`; the unmeasured
 * part names the processor that is assumed.
 */
export function computingText({ workers, measuredShare }: ComputingTime): string {
  const measured = workers.map(
    ({ architecture, memoryMb, seconds }) =>
      `${formatDuration(seconds)} of ${architecture} with ${memoryMb.toLocaleString('en')} MB`,
  );
  if (measuredShare === 1) return `${measured.join(' and ')}, as its workers measured`;
  const assumed = `assumed: ${assumedText(ASSUMED)}`;
  if (workers.length === 0) return assumed;
  const share = Math.max(1, Math.round((1 - measuredShare) * 100));
  return `${measured.join(' and ')}, as its workers measured, and an estimate for the ${share} % that earlier versions did (${assumed})`;
}
