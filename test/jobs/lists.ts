import { formatOf, readSource, type SourceFile } from '../../cli/enqueue/sources/read-source.ts';
import { SourceReading } from '../../cli/enqueue/sources/source-reading.ts';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import type { TemporaryFolder } from '../../testkit/temporary-folder.ts';

export type ReadOptions = Partial<SourceFile['columns'] & Pick<SourceFile, 'encoding' | 'delimiter'>>;

/** Reads a list by its name, as the command does. */
export async function readList(
  folder: TemporaryFolder,
  name: string,
  content: string | Buffer,
  { encoding, delimiter, ...columns }: ReadOptions = {},
): Promise<{ rows: SourceRow[]; reading: SourceReading }> {
  const path = await folder.write(name, content);
  const reading = new SourceReading();
  const file: SourceFile = {
    path,
    format: formatOf(name),
    columns: { urlColumn: undefined, idColumn: undefined, meta: true, ...columns },
    ...(encoding !== undefined && { encoding }),
    ...(delimiter !== undefined && { delimiter }),
  };
  return { rows: await Array.fromAsync(readSource(file, reading)), reading };
}

/** What each row is: its image, or the number of its line and its problem. */
export function outcomes(rows: readonly SourceRow[]): unknown[] {
  return rows.map((row) => ('image' in row ? row.image : { line: row.line, problem: row.problem }));
}
