import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { inspect } from '../../shared/classifier/decode/inspect/inspect.ts';
import type { Inspected } from '../../shared/classifier/decode/picture.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { eventually } from '../../testkit/eventually.ts';
import {
  compressedText,
  manyFramesGif,
  manyPropertiesAvif,
  scansJpeg,
  withJpegSegments,
  withPngChunks,
} from '../support/expensive-images.ts';
import { tiffFile } from '../support/tiff-files.ts';
import { decoded, difference, FORMAT, readPhoto } from './pictures.ts';

/** In milliseconds, with what came of it. */
async function timed(bytes: Buffer): Promise<{ outcome: string; milliseconds: number }> {
  const started = performance.now();
  const image = await decodeImage(bytes, FORMAT);
  const outcome = image instanceof ImageFailure ? image.code : 'ok';
  return { outcome, milliseconds: performance.now() - started };
}

async function isExpensive(bytes: Buffer): Promise<boolean> {
  const picture = await inspect(bytes);
  if (picture instanceof ImageFailure) throw new Error(`expected a picture, got ${picture.code}: ${picture.message}`);
  return picture.expensive;
}

type Decoder = { pid: number; cpuSeconds: number };

function isolatedDecoders(): Decoder[] {
  const list = execFileSync('ps', ['-o', 'pid=,cputimes=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  const lines = list.split('\n').filter((line) => line.includes('isolated-decoder'));
  return lines.map((line) => {
    const [pid, cpuSeconds] = line.trim().split(/\s+/).map(Number);
    return { pid: pid ?? 0, cpuSeconds: cpuSeconds ?? 0 };
  });
}

/** So that the limit is reached on the fastest machine, too; 2 s of CPU are past its start, and short of its end. */
async function stopOnceItDecodes(): Promise<void> {
  const isDecoding = () => isolatedDecoders().find(({ cpuSeconds }) => cpuSeconds >= 2);
  await eventually('a process that decodes', () => isDecoding() !== undefined);
  process.kill(isDecoding()?.pid ?? 0, 'SIGSTOP');
}

describe('an image that takes longer than the limit', () => {
  test('is refused at once where its header says so: 2,090 scans of 49 megapixels', async () => {
    const { outcome, milliseconds } = await timed(scansJpeg(7_000, 3, 2_090));
    expect(outcome).toBe('decode_timeout');
    expect(milliseconds).toBeLessThan(DECODE_TIMEOUT_SECONDS * 1_000);
  });

  test('ends at the limit, leaves no process behind, and does not delay others', async () => {
    const order: string[] = [];
    const slow = timed(scansJpeg(7_000, 1, 882)).then((result) => {
      order.push('slow');
      return result;
    });
    await stopOnceItDecodes();
    const photo = await readPhoto('coffee.jpg');
    for (let number = 0; number < 20; number++) {
      await decoded(photo);
      order.push('photo');
    }
    const { outcome } = await slow;
    expect(outcome).toBe('decode_timeout');
    expect(order).toEqual([...Array(20).fill('photo'), 'slow']);
    expect(isolatedDecoders()).toEqual([]);
  }, 60_000);
});

describe('data beside the pixels costs nothing:', () => {
  test('a PNG with 300 texts of 50 MB each has the pixels of the PNG without them', async () => {
    const png = await readPhoto('chelsea-alpha.png');
    const file = withPngChunks(png, 'zTXt', compressedText(50_000_000), 300);
    const { pixels, facts } = await decoded(file);
    expect(pixels).toEqual((await decoded(png)).pixels);
    expect(facts.bytes).toBe(file.length);
    expect(await isExpensive(file)).toBe(false);
  });

  test('a GIF of a million frames: only the first reaches the decoder', async () => {
    const picture = await inspect(manyFramesGif(1_000_000));
    expect(picture).toMatchObject({ bytes: manyFramesGif(1), expensive: false });
    await decoded(manyFramesGif(1_000_000));
  });

  test('an animated WebP of thousands of frames: only the first reaches the decoder', async () => {
    const animation = await sharp(await readPhoto('rocket-animated.gif'), { animated: true })
      .webp()
      .toBuffer();
    const at = animation.indexOf('ANMF');
    const frame = animation.subarray(at, at + 8 + animation.readUInt32LE(at + 4));
    const file = Buffer.concat([animation, ...Array(2_000).fill(frame)]);
    file.writeUInt32LE(file.length - 8, 4);
    expect((await decoded(file)).pixels).toEqual((await decoded(animation)).pixels);
    const [one, thousands] = await Promise.all([animation, file].map(inspect));
    expect(one).toHaveProperty('bytes.length', (thousands as Inspected).bytes.length);
  });

  test('a TIFF whose directories form a cycle: only the first reaches the decoder', async () => {
    const size = { width: 40, height: 40 };
    const once = tiffFile({ ...size, pixels: Buffer.alloc(40 * 40 * 3, 99) });
    const circle = Buffer.from(once);
    circle.writeUInt32LE(8, 8 + 2 + 12 * once.readUInt16LE(8));
    expect((await decoded(circle)).pixels).toEqual((await decoded(once)).pixels);
    expect(await inspect(circle)).toHaveProperty('bytes', once);
  });
});

describe('is decoded in a separate process:', () => {
  test.each([
    ['a JPEG of 100,000 segments', async () => withJpegSegments(await readPhoto('coffee.jpg'), 100_000), 'coffee.jpg'],
    [
      'a PNG of 2 MB of EXIF',
      async () => withPngChunks(await readPhoto('chelsea-alpha.png'), 'eXIf', Buffer.alloc(2_000_000), 1),
      'chelsea-alpha.png',
    ],
  ])('%s, with the same pixels', async (_what, make, original) => {
    const file = await make();
    expect(await isExpensive(file)).toBe(true);
    expect((await decoded(file)).pixels).toEqual((await decoded(await readPhoto(original))).pixels);
  });

  test('an AVIF whose picture has a hundred thousand properties: most are not read', async () => {
    expect(await isExpensive(manyPropertiesAvif(500))).toBe(true);
  });

  test('an AVIF of 16 megapixels, which a decoder holds in memory completely', async () => {
    const large = await sharp({ create: { width: 4_000, height: 4_000, channels: 3, background: '#204060' } })
      .avif({ effort: 0 })
      .toBuffer();
    expect(await isExpensive(large)).toBe(true);
    const { pixels, facts } = await decoded(large);
    expect(facts).toMatchObject({ width: 4_000, height: 4_000, format: 'avif' });
    expect(difference(pixels.subarray(0, 3), Uint8Array.of(0x20, 0x40, 0x60))).toBeLessThan(2);
  });
});

test('ordinary pictures are decoded in the worker itself', async () => {
  const names = [
    'astronaut.jpg',
    'chelsea-alpha.png',
    'chelsea.avif',
    'coffee.webp',
    'coffee-16-bit.png',
    'coffee-cmyk.jpg',
  ];
  names.push('phone-orientation-6.jpg', 'rocket-animated.gif', 'shuttle-model.tiff');
  for (const name of names)
    expect({ name, expensive: await isExpensive(await readPhoto(name)) }).toEqual({ name, expensive: false });
  const progressive = sharp(await readPhoto('phone-orientation-6.jpg')).jpeg({ progressive: true });
  expect(await isExpensive(await progressive.toBuffer())).toBe(false);
});
