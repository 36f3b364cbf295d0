import { couldHoldUrl } from './columns.ts';
import { splitQuoted } from './table-rows.ts';

const DELIMITERS = [',', ';', '\t', '|'];

/** The delimiter that Excel's `sep=` line names, e.g. `sep=;`; undefined if the line is not one. */
export function namedDelimiter(line: string): string | undefined {
  return /^"?sep=(.)"?[,;|\t]*$/i.exec(line.trimEnd() === 'sep=' ? 'sep=\t' : line)?.[1];
}

/**
 * The delimiter of a table by its header line: the one that yields a URL column, and the most columns.
 *
 * @param urlColumn its name, if known
 */
export function likelyDelimiter(header: string, urlColumn: string | undefined): string {
  let [best, most] = [',', 0];
  for (const delimiter of DELIMITERS) {
    const fields = splitQuoted(header, delimiter, undefined);
    if (!Array.isArray(fields)) continue;
    const names = fields.map((name) => name.trim());
    const hasUrl = urlColumn === undefined ? names.some(couldHoldUrl) : names.includes(urlColumn);
    const score = names.length + (hasUrl ? header.length : 0);
    if (score > most) [best, most] = [delimiter, score];
  }
  return best;
}
