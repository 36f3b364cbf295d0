import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { exportOutcomes } from '../../cli/export/export-outcomes.ts';
import { gatherOutcomes } from '../../cli/export/gather-outcomes.ts';
import { OutcomeDatabase } from '../../cli/export/outcome-database.ts';
import { partKey } from '../../shared/contract/object-keys.ts';
import { wellFormedText } from '../../shared/contract/well-formed.ts';
import type { Format } from '../../shared/jobs/export-formats.ts';
import { failure } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { isReadWrong } from '../contract/arbitraries.ts';
import { seed } from '../contract/seed.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

/** An image as JSON carries it: `meta` is text, since JavaScript's numbers would not keep its digits. */
type Given = { id: string; meta: string };

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\u0000', '\n', '\uFFFF', '\uD800', '\uDC00', '猫', '='),
    maxLength: 8,
  }),
);
const number = fc.constantFrom(
  ...['0', '-0', '-0.0', '5', '-5.5', '1.10', '1e21', '1E+2', '1.5e-7', '1E400', '0.1000000000000000055'],
  ...['1234567890123456789', '18446744073709551616', '123456789012345678901234567890', '-9007199254740993'],
);
const key = fc.oneof(
  text.filter((one) => !isReadWrong(one)),
  fc.constantFrom('__proto__', 'constructor', 'a\u0000b', '', '/', '~', "'", '=1', 'n'),
);

const { object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    text.map((one) => JSON.stringify(one)),
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(',')}]`),
    tie('object'),
  ),
  object: fc
    .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => wellFormedText(name) })
    .map((fields) => `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
}));

const images: fc.Arbitrary<Given[]> = fc.uniqueArray(fc.record({ id: text.filter((id) => id !== ''), meta: object }), {
  minLength: 1,
  maxLength: 25,
  selector: ({ id }) => wellFormedText(id),
});

/** JSON with its digits and without half characters, in a form that can be compared. */
function comparable(json: string): unknown {
  type Source = { source?: string };
  const withSources = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: Source) => unknown,
  ) => unknown;
  return withSources(json, (_key, value, { source }) => {
    if (typeof value === 'number') return { number: source };
    if (typeof value === 'string') return wellFormedText(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.entries(value).map(([name, inner]) => [wellFormedText(name), inner]);
  });
}

function lineOf({ id, meta }: Given): string {
  const { v, job, meta: _, ...rest } = failure(id, 'gone', { meta: {} });
  return JSON.stringify({ v, job, ...rest }).replace(/"url":"[^"]*"/, (url) => `${url},"meta":${meta}`);
}

/** Writes the lines as part files, and exports them. */
async function exported(given: readonly Given[], format: Format, read: (file: string) => Promise<void>): Promise<void> {
  aws.clear();
  await using folder = await createTemporaryFolder();
  await using database = await OutcomeDatabase.create(folder.path);
  const Key = partKey(
    'failures',
    { job: 'cats' },
    given.map(({ id }) => ({ id, error: { code: 'gone' } })),
  );
  const Body = given.map((image) => `${lineOf(image)}\n`).join('');
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body }));
  await gatherOutcomes(aws.target, 'cats', database, { folder: folder.path, version: '0' });
  const file = join(folder.path, `out.${format}`);
  expect(
    await exportOutcomes(database, { job: 'cats' }, { kind: 'failures' }, { path: file, format, gzip: false }),
  ).toBe(given.length);
  await read(file);
}

/** By id, what `meta` has to be. */
function expected(given: readonly Given[]): Map<string, unknown> {
  return new Map(given.map(({ id, meta }) => [wellFormedText(id), comparable(meta)]));
}

const RUNS = { seed, numRuns: 12 };

test('anything that JSON allows in id and meta is exported as JSON lines, digit by digit', async () => {
  await fc.assert(
    fc.asyncProperty(images, (given) =>
      exported(given, 'jsonl', async (file) => {
        const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
        const found = lines.map((line) => {
          const meta = line.slice(line.indexOf('"meta":') + '"meta":'.length, line.indexOf(',"error":{'));
          return [(JSON.parse(line) as Given).id, comparable(meta)] as const;
        });
        expect(new Map(found)).toEqual(expected(given));
      }),
    ),
    RUNS,
  );
}, 120_000);

test('anything that JSON allows in id and meta is exported as Parquet, digit by digit', async () => {
  await fc.assert(
    fc.asyncProperty(images, (given) =>
      exported(given, 'parquet', async (file) => {
        await using folder = await createTemporaryFolder();
        await using database = await OutcomeDatabase.create(folder.path);
        const rows = await database.rows<Given>(`SELECT id, meta FROM read_parquet('${file}')`);
        expect(new Map(rows.map(({ id, meta }) => [id, comparable(meta)]))).toEqual(expected(given));
      }),
    ),
    RUNS,
  );
}, 120_000);

test('anything that JSON allows in id and meta is exported as CSV: one row per image, and no formula in a cell', async () => {
  await fc.assert(
    fc.asyncProperty(images, (given) =>
      exported(given, 'csv', async (file) => {
        const [head = [], ...rows] = parse(await readFile(file, 'utf8')) as string[][];
        const ids = rows.map(([id = '']) => id.replace(/^'/, ''));
        expect(ids.toSorted()).toEqual(
          given.map(({ id }) => wellFormedText(id).replaceAll('\u0000', '\\u0000').replace(/^'/, '')).toSorted(),
        );
        for (const row of rows) expect(row).toHaveLength(head.length);
        for (const cell of rows.flat()) expect(cell).not.toMatch(/^(?!-[\d.]+([eE][-+]?\d+)?$)[=+\-@＝＋－＠\t\r\n,;]/);
      }),
    ),
    RUNS,
  );
}, 120_000);

test.each(['=1+1', '+1', '-1+1', '@a', '＝1', '＋1', '－1', '＠a', '\t=1', '\r=1', '\n=1', ',=1', ';=1'])(
  'a CSV cell that starts as %j is no formula',
  async (dangerous) => {
    await exported([{ id: dangerous, meta: JSON.stringify({ note: dangerous }) }], 'csv', async (file) => {
      const [row] = parse(await readFile(file, 'utf8'), { columns: true }) as Record<string, string>[];
      expect(row).toMatchObject({ id: `'${dangerous}`, 'meta.note': `'${dangerous}` });
    });
  },
);

test('numbers in CSV keep their digits and their sign', async () => {
  const meta = '{"id":1234567890123456789,"price":1.10,"big":1e21,"small":-0.50,"nested":{"n":2.00}}';
  await exported([{ id: 'a', meta }], 'csv', async (file) => {
    const [row] = parse(await readFile(file, 'utf8'), { columns: true }) as Record<string, string>[];
    expect(row).toMatchObject({
      ...{ 'meta.id': '1234567890123456789', 'meta.price': '1.10', 'meta.big': '1e21', 'meta.small': '-0.50' },
      'meta.nested': '{"n":2.00}',
    });
  });
});
