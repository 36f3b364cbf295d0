import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { SpillingTable } from '../../shared/jobs/fingerprints/spilling-table.ts';
import { IdSet } from '../../shared/jobs/id-set.ts';
import { RowSet } from '../../shared/jobs/row-set.ts';

/** So few that a few thousand records are in more than 64 tables: in three planes of the filter. */
const SLOTS = 64;
const RECORDS = 4_000;

type Key = [high: number, low: number];

const randomKey = (): Key => [randomInt(1, 2 ** 32), randomInt(2 ** 32)];

test('records that do not fit into memory are found again, and no others', () => {
  using table = new SpillingTable(4, SLOTS);
  const records = Array.from({ length: RECORDS }, (_, index) => [...randomKey(), index, 7]);
  for (const record of records) table.insert(record);
  expect(table.size).toBe(RECORDS);
  for (const record of records) expect([...(table.find(...(record.slice(0, 2) as Key)) ?? [])]).toEqual(record);
  for (let count = 0; count < RECORDS; count++) expect(table.find(...randomKey())).toBeUndefined();
});

test('keys that collide at the last slots wrap around to the first ones', () => {
  using table = new SpillingTable(2, SLOTS);
  const keys = Array.from({ length: RECORDS }, (_, index): Key => [index + 1, SLOTS * index - 1 - (index % 3)]);
  const unsigned = keys.map(([high, low]): Key => [high, low >>> 0]);
  for (const key of unsigned) table.insert(key);
  for (const [high, low] of unsigned) {
    expect(table.find(high, low)).toBeDefined();
    expect(table.find(high + RECORDS, low)).toBeUndefined();
  }
});

test('a set of ids that does not fit into memory finds each of them', () => {
  using ids = new IdSet(SLOTS);
  const names = Array.from({ length: RECORDS }, (_, index) => `id-${index}`);
  for (const name of names) expect(ids.add(name)).toBe(true);
  for (const name of names) expect(ids.add(name)).toBe(false);
  expect(ids.size).toBe(RECORDS);
  expect([ids.has('id-7'), ids.has('other')]).toEqual([true, false]);
});

test('a set of rows contains exactly the added rows, however far apart', () => {
  const rows = new RowSet();
  const added = [0, 7, 8, 65_535, 65_536, 5_000_000_000];
  for (const row of added) rows.add(row);
  for (const row of added) {
    expect(rows.has(row)).toBe(true);
    expect(rows.has(row + 3)).toBe(false);
  }
});
