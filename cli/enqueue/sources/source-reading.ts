import type { TakenColumns } from './columns.ts';

/**
 * The content of a source does not match its name, its first bytes or an option. The message does not name the path.
 */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';
}

/** Maximum number of different reasons, and of file extensions within a reason: names are untrusted text. */
const MAX_REASONS = 20;

/**
 * How a source was read: detected properties, and what was left out. It describes one reading; the next calls `begin`.
 */
export class SourceReading {
  /** As `TextDecoder` calls it, e.g. `utf-8`. */
  encoding: string | undefined;
  compression: 'gzip' | 'zstd' | undefined;
  delimiter: string | undefined;
  /** The header line of a table as it stands in the source. */
  header: string | undefined;
  columns: TakenColumns | undefined;
  /** Whether the fields of the table may be quoted. */
  quotes = false;
  /** The last row, as in the source. */
  row = '';
  readonly warnings = new Set<string>();
  /** Counts of left-out entries of a folder or prefix, by reason. */
  readonly leftOut = new Map<string, number>();

  /** Forgets the findings of the previous reading. */
  begin(): void {
    this.warnings.clear();
    this.leftOut.clear();
  }

  leaveOut(reason: string): void {
    const known = this.leftOut.has(reason) || this.leftOut.size < MAX_REASONS ? reason : 'for other reasons';
    this.leftOut.set(known, (this.leftOut.get(known) ?? 0) + 1);
  }
}
