import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { rowReader } from '../../cli/enqueue/sources/columns.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { seed } from '../contract/seed.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { outcomes, readList } from './lists.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

const url = (index: number | string) => `https://h/${index}.jpg`;

describe('the delimiter', () => {
  test.each([',', ';', '\t', '|'])('%j is found by the header', async (delimiter) => {
    const header = ['sku', 'url', 'title, of the photo'].map((name) => (name.includes(delimiter) ? `"${name}"` : name));
    const content = `${header.join(delimiter)}\n${['X1', url(1), 'a'].join(delimiter)}\n`;
    const { rows, reading } = await readList(folder, 'a.csv', content);
    expect(outcomes(rows)).toEqual([{ id: url(1), url: url(1), meta: { sku: 'X1', 'title, of the photo': 'a' } }]);
    expect(reading.delimiter).toBe(delimiter);
  });

  test.each([
    ['sep=;', ';'],
    ['"sep=;"', ';'],
    ['SEP=|', '|'],
    ['sep=\t', '\t'],
  ])('is taken from the line %j of Excel', async (line, delimiter) => {
    const { rows } = await readList(folder, 'a.csv', `${line}\r\nurl${delimiter}a,b\r\n${url(1)}${delimiter}x\r\n`);
    expect(rows).toEqual([{ line: 3, image: { id: url(1), url: url(1), meta: { 'a,b': 'x' } } }]);
  });

  test('is the given one, whatever the header looks like', async () => {
    const { rows } = await readList(folder, 'a.csv', `url^a,b;c\n${url(1)}^x\n`, { delimiter: '^' });
    expect(outcomes(rows)).toMatchObject([{ meta: { 'a,b;c': 'x' } }]);
  });
});

describe('quotes', () => {
  test('of TSV are characters like others', async () => {
    const { rows } = await readList(folder, 'a.tsv', `url\tt\n${url(1)}\t"Swing it" magistern\n${url(2)}\t"open\n`);
    expect(outcomes(rows)).toMatchObject([{ meta: { t: '"Swing it" magistern' } }, { meta: { t: '"open' } }]);
  });

  test.each([
    ['closed in the middle', '"Swing it" magistern'],
    ['not closed', '"Swing it'],
    ['doubled but not closed', '"Swing ""it""'],
  ])('that are %s make only their row invalid', async (_what, field) => {
    const good = Array.from({ length: 5_000 }, (_, index) => `${url(index + 3)},t`).join('\n');
    const { rows } = await readList(folder, 'a.csv', `url,t\n${url(1)},t\n${url(2)},${field}\n${good}\n`);
    expect(rows).toHaveLength(5_002);
    expect(rows.filter((row) => 'problem' in row)).toEqual([
      { line: 3, text: `${url(2)},${field}`, problem: expect.stringContaining('broken quotes') },
    ]);
  });

  test('that are never closed make the last row of a file invalid', async () => {
    const { rows } = await readList(folder, 'a.csv', `url,t\n${url(1)},"a\n${url(2)},b`);
    expect(outcomes(rows)).toMatchObject([{ line: 2 }, { url: url(2) }]);
  });

  test('within a field that does not begin with one are characters like others', async () => {
    const { rows } = await readList(folder, 'a.csv', `url,t\n${url(1)},a 5" shoe\n`);
    expect(outcomes(rows)).toMatchObject([{ meta: { t: 'a 5" shoe' } }]);
  });

  test.each(['\n', '\r\n', '\r'])('keep line breaks %j as they are', async (end) => {
    const { rows } = await readList(folder, 'a.csv', `url,t${end}${url(1)},"a${end}${end}b"${end}${url(2)},c${end}`);
    expect(outcomes(rows)).toMatchObject([{ meta: { t: `a${end}${end}b` } }, { meta: { t: 'c' } }]);
  });

  test('around any text are removed', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', '\r', '猫', ' '), maxLength: 12 });
    const table = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 12 });
    const field = (value: string) => `"${value.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, async (pairs) => {
        const lines = pairs.map(([one, other], index) => [field(one), url(index), field(other)].join(','));
        const { rows } = await readList(folder, 'a.csv', `one,url,other\n${lines.join('\n')}\n`);
        expect(outcomes(rows)).toMatchObject(pairs.map(([one, other]) => ({ meta: { one, other } })));
      }),
      { seed, numRuns: 50 },
    );
  });

  test('that open a field of many lines take linear time, up to the maximum size of a row', async () => {
    const after = Array.from({ length: 60_000 }, (_, index) => `${url(index)},t`).join('\n');
    const { rows } = await readList(folder, 'a.csv', `url,t\n${url('first')},"open\n${after}\n`);
    expect(rows).toHaveLength(60_001);
    expect(rows.filter((row) => 'problem' in row)).toMatchObject([{ line: 2 }]);
  });

  test('that are never closed before very many lines make only their row invalid', async () => {
    // So short that a row may have more of them than a call takes arguments.
    const { rows } = await readList(
      folder,
      'a.csv',
      `url,t\n${url('first')},"open\n${'a,b\n'.repeat(400_000)}${url(1)},t\n`,
    );
    expect(rows).toHaveLength(400_002);
    expect(rows[0]).toMatchObject({ line: 2, problem: expect.stringContaining('broken quotes') });
    expect(rows.at(-1)).toMatchObject({ line: 400_003, image: { url: url(1) } });
  });
});

describe('columns', () => {
  test.each([
    ['a page and an image', 'url,image_url', `https://h/page,${url(1)}`, 'image_url'],
    ['a file name and a URL', 'image,url', `1.jpg,${url(1)}`, 'url'],
    ['a URL and a number', 'url,image', `${url(1)},17`, 'url'],
    ['two of images', 'uri,URL', `${url(2)},${url(1)}`, 'URL'],
  ])('of %s: the one that holds URLs of images is taken, and reported', async (_what, header, row, taken) => {
    const { rows, reading } = await readList(folder, 'a.csv', `${header}\n${row}\n`, { meta: false });
    expect(outcomes(rows)).toEqual([{ id: url(1), url: url(1) }]);
    expect(reading.columns).toMatchObject({ url: taken, passedOver: [expect.any(String)] });
  });

  test('the column id is the id, unless another one is named', async () => {
    const content = `id,url,sku\n7,${url(1)},X1\n`;
    const idWith = async (idColumn?: string) => {
      const { rows } = await readList(folder, 'a.csv', content, { meta: false, ...(idColumn && { idColumn }) });
      return outcomes(rows);
    };
    expect(await idWith()).toEqual([{ id: '7', url: url(1) }]);
    expect(await idWith('sku')).toEqual([{ id: 'X1', url: url(1) }]);
    expect(await idWith('url')).toEqual([{ id: url(1), url: url(1) }]);
  });

  test('URL and id are trimmed as a text line is, meta is not', async () => {
    const { rows } = await readList(folder, 'a.csv', ` url ; id ;t\n ${url(1)} ; 7 ; x \n`);
    expect(outcomes(rows)).toEqual([{ id: '7', url: url(1), meta: { t: ' x ' } }]);
  });

  test('of the same name keep all values, and no name is special', async () => {
    const { rows } = await readList(folder, 'a.csv', `url,t,t,__proto__\n${url(1)},a,b,c\n`);
    expect(JSON.stringify(outcomes(rows))).toContain('{"t":"a","t_2":"b","__proto__":"c"}');
  });

  test('of very many times the same name are numbered in linear time', () => {
    const header = ['url', ...new Array<string>(2_000).fill('t')];
    const lookUps = jest.spyOn(Set.prototype, 'has');
    const choice = { urlColumn: undefined, idColumn: undefined, meta: true };
    const { taken } = rowReader(header, choice, []);
    const counted = lookUps.mock.calls.length;
    lookUps.mockRestore();
    expect(taken.meta).toMatchObject({ 0: 't', 1: 't_2', 1999: 't_2000' });
    expect(counted).toBeGreaterThan(2_000);
    expect(counted).toBeLessThan(3 * header.length);
  });

  test('a table without a header line is refused, with a hint', async () => {
    await expect(readList(folder, 'a.csv', `${url(1)}\n${url(2)}\n`)).rejects.toThrow(/the first line must name/);
  });
});

test.each([`${url(1)}\ta caption`, `${url(1)} a caption`, `${url(1)}\t${url(2)}`])(
  'the text line %j is refused with a hint',
  async (line) => {
    const { rows } = await readList(folder, 'a.txt', `${line}\n`);
    expect(outcomes(rows)).toEqual([{ line: 1, problem: expect.stringMatching(/one URL per line.*header line/) }]);
  },
);

test('comments are ignored', async () => {
  const { rows } = await readList(folder, 'a.txt', `# of cats\n${url(1)}\n`);
  expect(outcomes(rows)).toEqual([{ id: url(1), url: url(1) }]);
});

describe('what programs write', () => {
  test.each([
    [
      'a first field that is empty, before one in quotes',
      `note,url,text\n,${url(1)},"a, b"\n`,
      { note: '', text: 'a, b' },
    ],
    ['an index without a name, as pandas does', `,url,text\n0,${url(1)},"a, b"\n`, { '': '0', text: 'a, b' }],
    ['a delimiter at the end of each row but the header', `url,a\n${url(1)},x,\n`, { a: 'x' }],
    ["DOS's end of file behind the last line", `url,a\n${url(1)},x\n\u001a`, { a: 'x' }],
  ])('%s, is read', async (_what, content, meta) => {
    const { rows } = await readList(folder, 'a.csv', content);
    expect(outcomes(rows)).toEqual([{ id: url(1), url: url(1), meta }]);
  });

  test.each(['Image URL', 'image-url', ' IMAGE_URL '])('the column %j is the URL', async (name) => {
    const { rows } = await readList(folder, 'a.csv', `${name},a\n${url(1)},x\n`);
    expect(outcomes(rows)).toMatchObject([{ url: url(1) }]);
  });

  test('a comma after a URL in a list without columns is not part of it', async () => {
    const { rows } = await readList(folder, 'a.txt', `${url(1)},\n${url(2)}\n\u001a`);
    expect(rows).toMatchObject([
      { line: 1, problem: expect.stringContaining('got a comma at its end') },
      { image: { url: url(2) } },
    ]);
  });
});
