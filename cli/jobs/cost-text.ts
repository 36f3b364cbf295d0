import { machineName } from '../../dashboard/page/machine-name.js';
import { formatDuration } from '../../dashboard/page/numbers.js';
import type { WorkerHost } from '../../shared/contract/worker-time.ts';
import { ASSUMED, assumedText } from '../../shared/cost.ts';
import type { ComputingTime } from '../../shared/jobs/measured-time.ts';

/** What a price other than that of Lambda's time is based on. */
const PRICE_NOTES: Readonly<Record<WorkerHost, string>> = {
  lambda: '',
  ec2: ' (assumed: on demand, without idle time)',
  own: ' (not priced)',
};

/**
 * What the cost of a job is made of, e.g. `12.3 s of x86_64 with 1,769 MB, as its workers measured`; the unmeasured
 * part names the processor that is assumed.
 */
export function computingText({ workers, measuredShare }: ComputingTime): string {
  const measured = workers.map(
    ({ seconds, ...machine }) => `${formatDuration(seconds)} of ${machineName(machine)}${PRICE_NOTES[machine.host]}`,
  );
  if (measuredShare === 1) return `${measured.join(' and ')}, as its workers measured`;
  const assumed = `assumed: ${assumedText(ASSUMED)}`;
  if (workers.length === 0) return assumed;
  const share = Math.max(1, Math.round((1 - measuredShare) * 100));
  return `${measured.join(' and ')}, as its workers measured, and an estimate for the ${share} % that earlier versions did (${assumed})`;
}
