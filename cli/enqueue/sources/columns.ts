import { UserError } from '../../../shared/contract/user-error.ts';

/** Which columns of a table name an image. */
export type ColumnChoice = {
  /** Undefined to look for one of the usual names. */
  urlColumn: string | undefined;
  /** Undefined for a column `id`, or else the URL itself as the id. The URL's own column stands for the latter. */
  idColumn: string | undefined;
  /** Whether the other columns become `meta`. */
  meta: boolean;
};

/** A column is missing or has the wrong type. The message lists the columns that exist. */
export class ColumnError extends UserError {
  override readonly name = 'ColumnError';
}

/** The columns that were taken, by their names. */
export type TakenColumns = {
  url: string;
  /** Undefined when the URL is the id. */
  id: string | undefined;
  meta: string[];
  /** Other columns that could hold the URL, by name. */
  passedOver: string[];
};

/** The column with the reasons in files of `--skip-invalid`. */
export const PROBLEM_COLUMN = 'labelqueue_problem';

/** Image columns before columns that may hold page URLs. */
const USUAL_URL_COLUMNS = [
  'image_url',
  'imageurl',
  'image_link',
  'imagelink',
  'img_url',
  'image_uri',
  'image',
  'url',
  'uri',
];
const URL_START = /^\s*(https?|s3):\/\/[^\s/]/i;
const IMAGE_END = /\.(jpe?g|jpe|jfif|png|webp|gif|avif|tiff?)\s*([?#]|$)/i;

/** Whether a column of this name usually holds URLs of images. */
export function couldHoldUrl(name: string): boolean {
  return USUAL_URL_COLUMNS.includes(plainName(name));
}

/** `Image URL` and `image-url` are `image_url`. */
function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
}

/** Converts rows to `{url, id?, meta?}`, and the columns that it uses. */
export type RowReader = { taken: TakenColumns; imageOf: (row: readonly unknown[]) => unknown };

/**
 * Finds the columns by name; among several possible URL columns, by content.
 *
 * @param sample some rows of the table
 * @throws {ColumnError}
 */
export function rowReader(
  header: readonly string[],
  choice: ColumnChoice,
  sample: readonly (readonly unknown[])[],
): RowReader {
  const names = uniqueNames(header);
  const [url, ...others] = urlColumns(names, choice.urlColumn, sample);
  if (url === undefined) throw noUrlColumn(names, choice.urlColumn);
  const id = idColumn(names, url, choice.idColumn);
  const meta = choice.meta ? metaColumns(names, url, id) : [];
  const nameOf = (index: number) => names[index] ?? '';
  const taken = {
    url: nameOf(url),
    id: id === undefined ? undefined : nameOf(id),
    meta: meta.map(nameOf),
    passedOver: others.map(nameOf),
  };
  return {
    taken,
    imageOf: (row) => ({
      url: trimmed(row[url]),
      ...(id !== undefined && { id: text(row[id]) }),
      ...(choice.meta && { meta: Object.fromEntries(meta.map((index) => [nameOf(index), row[index] ?? null])) }),
    }),
  };
}

/** Repeated names get a number, so that no value overwrites another. */
function uniqueNames(header: readonly string[]): string[] {
  const names = new Set<string>();
  // The last number of each name: a header may repeat one name a million times.
  const counts = new Map<string, number>();
  for (const given of header) {
    let count = counts.get(given) ?? 1;
    let name = given;
    while (names.has(name)) name = `${given}_${++count}`;
    counts.set(given, count);
    names.add(name);
  }
  return [...names];
}

/** Indices of the possible URL columns, best first. */
function urlColumns(
  names: readonly string[],
  requested: string | undefined,
  sample: readonly (readonly unknown[])[],
): number[] {
  if (requested !== undefined) return names.includes(requested) ? [names.indexOf(requested)] : [];
  const rank = (index: number) => USUAL_URL_COLUMNS.indexOf(plainName(names[index] ?? ''));
  const candidates = [...names.keys()].filter((index) => rank(index) !== -1);
  const share = (index: number, pattern: RegExp) =>
    sample.filter((row) => typeof row[index] === 'string' && pattern.test(row[index])).length;
  const scores = new Map(
    candidates.map((index) => [index, [share(index, URL_START), share(index, IMAGE_END)] as const]),
  );
  return candidates.toSorted((one, other) => {
    const [[urls, images], [otherUrls, otherImages]] = [scores.get(one) ?? [0, 0], scores.get(other) ?? [0, 0]];
    return otherUrls - urls || otherImages - images || rank(one) - rank(other);
  });
}

function idColumn(names: readonly string[], url: number, requested: string | undefined): number | undefined {
  if (requested !== undefined && !names.includes(requested)) throw missing(requested, '--id-column', names);
  const name = requested ?? (names.includes('id') ? 'id' : names.find((column) => column.toLowerCase() === 'id'));
  const index = name === undefined ? url : names.indexOf(name);
  return index === url ? undefined : index;
}

function metaColumns(names: readonly string[], url: number, id: number | undefined): number[] {
  return [...names.keys()].filter((index) => index !== url && index !== id && names[index] !== PROBLEM_COLUMN);
}

/** As a text line is trimmed. */
function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

function text(id: unknown): unknown {
  if (JSON.isRawJSON(id)) return JSON.stringify(id);
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : trimmed(id);
}

function noUrlColumn(names: readonly string[], requested: string | undefined): ColumnError {
  const isUrl = names.some((name) => URL_START.test(name));
  const hint = isUrl ? '; the first line must name the columns' : '';
  return missing(requested ?? USUAL_URL_COLUMNS.join(', '), '--url-column', names, hint);
}

const NAMES_SHOWN = 30;

function missing(expected: string, option: string, names: readonly string[], hint = ''): ColumnError {
  const listed = names.slice(0, NAMES_SHOWN).map((name) => name.slice(0, 80));
  const got = `${listed.join(', ')}${names.length > NAMES_SHOWN ? ', …' : ''}`;
  return new ColumnError(`expected a column named ${expected} (see ${option}), got ${got}${hint}`);
}
