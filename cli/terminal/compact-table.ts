import Table from 'cli-table3';

/** An empty table without colours and without lines between its rows. */
export function compactTable(head: string[]): Table.Table {
  const chars = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  return new Table({ head, style: { head: [], border: [] }, chars });
}
