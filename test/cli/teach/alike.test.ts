import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { findAlike } from '../../../cli/teach/alike.ts';
import { withoutCopies } from '../../../cli/teach/copies.ts';
import { outlineOf } from '../../../cli/teach/outline.ts';
import type { TaughtPhoto } from '../../../cli/teach/photo-features.ts';
import { createRandom, sampleOf, shuffle } from '../../../cli/teach/random.ts';
import { splitPhotos } from '../../../cli/teach/split.ts';
import { viewOf, wideFormat } from '../../../cli/teach/views.ts';
import { readPhoto } from '../../classifier/pictures.ts';

const SIDE = 224;

async function outline(bytes: Buffer): Promise<Float32Array> {
  const pixels = await sharp(bytes)
    .resize(SIDE, SIDE, { fit: 'cover' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
  return outlineOf(pixels, SIDE);
}

let made = 0;
/** A photo with features of its own, unless they are given. */
function photo(label: string, given: Partial<TaughtPhoto> = {}): TaughtPhoto {
  const number = made++;
  const direction = Float32Array.from({ length: 64 }, (_, at) => (at === number % 64 ? 1 : 0));
  const flat = new Float32Array(256);
  flat[number % 256] = 1;
  const name = `${label}/${number}.jpg`;
  return {
    label,
    name,
    source: name,
    sha256: `${number}`,
    features: direction,
    views: direction,
    outline: flat,
    ...given,
  };
}

test.each([
  ['smaller', (image: Sharp) => image.resize(150).jpeg()],
  ['compressed more', (image: Sharp) => image.jpeg({ quality: 30 })],
  ['mirrored', (image: Sharp) => image.flop().jpeg()],
  ['brighter', (image: Sharp) => image.modulate({ brightness: 1.15 }).jpeg()],
])('the same photo %s is nearly the same, another photo is not', async (_case, change) => {
  const coffee = await readPhoto('coffee.jpg');
  const photos = [
    photo('cups', { outline: await outline(coffee) }),
    photo('cups', { outline: await outline(await change(sharp(coffee)).toBuffer()) }),
    photo('cups', { outline: await outline(await readPhoto('rocket.jpg')) }),
    photo('cups', { outline: await outline(await readPhoto('chelsea.jpg')) }),
  ];
  const { groups, pairs, acrossLabels } = findAlike(photos, 64);
  expect(groups).toEqual([[0, 1], [2], [3]]);
  expect(pairs.map(({ one, other }) => [one, other])).toEqual([[photos[0], photos[1]]]);
  expect(acrossLabels).toEqual([]);
});

test('the twenty parts of a lawn are different photos', async () => {
  const parts = Array.from({ length: 20 }, (_, index) => `${String(index + 1).padStart(2, '0')}.jpg`);
  const outlines = await Promise.all(
    parts.map(async (name) => outline(await readFile(join(import.meta.dirname, '../../../samples/teach/grass', name)))),
  );
  expect(
    findAlike(
      outlines.map((one) => photo('grass', { outline: one })),
      64,
    ).pairs,
  ).toEqual([]);
});

test('nearly the same photo under two labels does not make a group', () => {
  const [one, other] = [photo('fine'), photo('damaged')];
  const twin = photo('damaged', { features: one.features });
  const found = findAlike([one, other, twin], 64);
  expect(found.groups).toEqual([[0], [1], [2]]);
  expect(found.acrossLabels).toEqual([{ one, other: twin, likeness: expect.closeTo(1, 4) }]);
});

test('a label whose photos are all alike is split anyway, and named', () => {
  const { features } = photo('fixed camera');
  const photos = [
    ...Array.from({ length: 6 }, () => photo('fixed camera', { features })),
    photo('other'),
    photo('other'),
  ];
  const { groups, divided } = findAlike(photos, 64);
  expect(divided).toEqual(['fixed camera']);
  expect(groups).toHaveLength(8);
});

test('copies of a file are used once; under two labels they are an error that names them', () => {
  const first = photo('cats');
  const copy = photo('cats', { sha256: first.sha256 });
  const other = photo('dogs');
  expect(withoutCopies([first, copy, other])).toEqual({ photos: [first, other], copies: [{ copy, of: first }] });
  const contradiction = photo('dogs', { sha256: first.sha256, name: 'dogs/\u001b[2J.jpg' });
  expect(() => withoutCopies([first, other, contradiction])).toThrow(
    `expected each photo under one label, got the same file under two: ${first.name} (cats) and dogs/\\u001b[2J.jpg (dogs)`,
  );
});

test('a group is never split, and each label has photos in both parts', () => {
  const photos = [
    ...Array.from({ length: 20 }, () => photo('a')),
    photo('b'),
    photo('b'),
    ...Array.from({ length: 9 }, () => photo('c')),
  ];
  const inC = (index: number) => 22 + index;
  const groups = [
    ...Array.from({ length: 10 }, (_, pair) => [2 * pair, 2 * pair + 1]),
    [20],
    [21],
    [0, 1, 2, 3].map(inC),
    [4, 5, 6, 7, 8].map(inC),
  ];
  for (let seed = 0; seed < 50; seed++) {
    const { training, heldOut } = splitPhotos(photos, groups, 0.2, createRandom(`${seed}`));
    expect(new Set([...training, ...heldOut])).toEqual(new Set(photos));
    for (const group of groups) {
      const held = group.filter((index) => heldOut.includes(photos[index] as TaughtPhoto));
      expect([0, group.length]).toContain(held.length);
    }
    for (const label of ['a', 'b', 'c']) {
      expect(training.some((one) => one.label === label)).toBe(true);
      expect(heldOut.some((one) => one.label === label)).toBe(true);
    }
    expect(heldOut.filter(({ label }) => label === 'a')).toHaveLength(4);
  }
});

test('the same seed gives the same split, another seed another', () => {
  const photos = Array.from({ length: 40 }, () => photo('a'));
  const groups = photos.map((_, index) => [index]);
  const heldOut = (seed: string) => splitPhotos(photos, groups, 0.2, createRandom(seed)).heldOut;
  expect(heldOut('1')).toEqual(heldOut('1'));
  expect(heldOut('1')).not.toEqual(heldOut('2'));
});

test('random numbers cover their whole range evenly', () => {
  const random = createRandom('range');
  const counts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 10_000; draw++) {
    const value = random.below(10);
    counts[value] = (counts[value] as number) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  expect(shuffle(Int32Array.of(1, 2, 3, 4, 5), random).toSorted()).toEqual(Int32Array.of(1, 2, 3, 4, 5));
});

test('a view is a square part of the photo, mirrored or not', () => {
  const wide = wideFormat({ inputSize: 4, crop: 0.8, interpolation: 'cubic' });
  expect(wide).toEqual({ inputSize: 5, crop: 1, interpolation: 'cubic' });
  // Each pixel says where it stands.
  const pixels = Uint8Array.from(
    { length: 75 },
    (_, at) => [Math.floor(at / 15), Math.floor(at / 3) % 5, 7][at % 3] as number,
  );
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const view = viewOf(pixels, 5, 4, createRandom(`${seed}`));
    const [top, left, right] = [view[0] as number, view[1] as number, view[10] as number];
    const expected = Array.from({ length: 48 }, (_, at) => {
      const step = Math.floor(at / 3) % 4;
      return [top + Math.floor(at / 12), right > left ? left + step : left - step, 7][at % 3];
    });
    expect(Array.from(view)).toEqual(expected);
    seen.add(`${top} ${Math.min(left, right)} ${right > left}`);
  }
  expect(seen.size).toBe(8);
});

test.each([224, 260, 240, 300])('the outline of an even photo with a side of %d is flat', (side) => {
  const even = outlineOf(new Uint8Array(side ** 2 * 3).fill(200), side);
  for (const value of even) expect(value).toBeCloseTo(0, 2);
});

test('a random sample of a sorted list covers all its parts, and is the same for the same seed', () => {
  const labels = Array.from({ length: 40 }, (_, label) => Array<number>(50).fill(label)).flat();
  const taken = sampleOf(labels, 500, createRandom('seed'));
  expect(taken).toHaveLength(500);
  expect(new Set(taken).size).toBe(40);
  expect(sampleOf(labels, 500, createRandom('seed'))).toEqual(taken);
  expect(sampleOf(labels, 5_000, createRandom('seed'))).toHaveLength(2_000);
});

test('each of more than a million pairs that are alike in two ways is counted once', () => {
  const frames = 1_500;
  const { outline: same, features } = photo('film');
  const { pairCount } = findAlike(
    Array.from({ length: frames }, () => photo('film', { outline: same, features })),
    64,
  );
  expect(pairCount).toBe((frames * (frames - 1)) / 2);
});
