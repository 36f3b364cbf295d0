import type { TakenColumns } from './columns.ts';

/** A file that is not what its name, its first bytes or an option promise. The message names no path yet. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';
}

/** Different reasons that are told apart, and endings within a reason: names are text of strangers. */
const MAX_REASONS = 20;

/**
 * How a source was read: what was found out about it, and what of it was left out. It belongs to one reading; the next
 * begins with `begin`.
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
  /** The row that was given last, as it stands in the source. */
  row = '';
  readonly warnings = new Set<string>();
  /** What of a folder or prefix was left out, by reason. */
  readonly leftOut = new Map<string, number>();

  /** Forgets what the reading before has found. */
  begin(): void {
    this.warnings.clear();
    this.leftOut.clear();
  }

  leaveOut(reason: string): void {
    const known = this.leftOut.has(reason) || this.leftOut.size < MAX_REASONS ? reason : 'for other reasons';
    this.leftOut.set(known, (this.leftOut.get(known) ?? 0) + 1);
  }
}
