import Table from 'cli-table3';
import type { Measured } from './measure.ts';
import type { ClientRow } from './row.ts';

export type MeasuredRow = { row: ClientRow; size: number; measured: Measured | Error };

/** A line per row and size. */
export function clientTable(all: readonly MeasuredRow[]): string {
  const table = new Table({
    head: ['command', 'size', 'seconds', 'of these computing', 'peak MB', 'growth for ten times as many'],
    style: { head: [], border: [] },
  });
  for (const [index, one] of all.entries()) {
    const { row, size, measured } = one;
    const cells = measured instanceof Error ? ['failed', '', '', ''] : figures(measured, all[index - 1], one);
    table.push([row.name, `${size.toLocaleString('en')} ${row.unit}`, ...cells]);
  }
  return table.toString();
}

function figures(measured: Measured, before: MeasuredRow | undefined, { row, size }: MeasuredRow): string[] {
  const own = [measured.seconds.toFixed(2), measured.cpuSeconds.toFixed(2), measured.peakMb.toFixed(0)];
  const isSame = before?.row === row && before.size * 10 === size;
  if (!isSame || before.measured instanceof Error) return [...own, ''];
  const { cpuSeconds, peakMb } = before.measured;
  return [
    ...own,
    `computing x${(measured.cpuSeconds / cpuSeconds).toFixed(1)}, memory x${(measured.peakMb / peakMb).toFixed(1)}`,
  ];
}
