import Table from 'cli-table3';
import type { SoakInterval } from './soak-run.ts';

const COLUMNS = ['images', 'images/s', 'RSS MB', 'peak MB', 'heap MB', 'external MB', 'sockets', 'tensors'];

/** One row per 1,000 images. */
export function curveTable(intervals: readonly SoakInterval[]): string {
  const table = new Table({
    head: COLUMNS,
    style: { head: [], border: [] },
    colAligns: COLUMNS.map(() => 'right'),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { images, seconds, measured } of intervals) {
    const { rssMb, maxRssMb, heapUsedMb, externalMb, sockets, tensors } = measured;
    const memory = [rssMb, maxRssMb, heapUsedMb, externalMb].map((mb) => mb.toFixed(0));
    table.push([images, (1_000 / seconds).toFixed(0), ...memory, sockets, tensors]);
  }
  return table.toString();
}
