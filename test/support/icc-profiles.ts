/** ICC profiles of version 2, made by hand: a matrix or one grey curve, with white D50. */

const D50 = [0.9642, 1, 0.8249];
/** Chromatically adapted to D50, as columns of the published Display P3 profile. */
const P3_COLORANTS = {
  rXYZ: [0.51512, 0.2412, -0.00105],
  gXYZ: [0.29198, 0.69225, 0.04189],
  bXYZ: [0.1571, 0.06657, 0.78407],
};
const SRGB_COLORANTS = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
};

/** Display P3's primaries with sRGB's curve. */
export function displayP3Profile(): Buffer {
  return rgbProfile(P3_COLORANTS);
}

export function srgbProfile(): Buffer {
  return rgbProfile(SRGB_COLORANTS);
}

/** Grey whose light is the value to the power of gamma. */
export function greyProfile(gamma: number): Buffer {
  return profile('GRAY', { wtpt: xyz(D50), kTRC: gammaCurve(gamma) });
}

function rgbProfile(colorants: Record<string, number[]>): Buffer {
  const curve = srgbCurve();
  const xyzs = Object.entries(colorants).map(([tag, values]) => [tag, xyz(values)] as const);
  return profile('RGB ', { wtpt: xyz(D50), ...Object.fromEntries(xyzs), rTRC: curve, gTRC: curve, bTRC: curve });
}

function profile(space: string, tags: Record<string, Buffer>): Buffer {
  const all = { desc: description(), cprt: Buffer.from('text\0\0\0\0none\0\0\0\0'), ...tags };
  const entries = Object.entries(all);
  const table = Buffer.alloc(4 + 12 * entries.length);
  table.writeUInt32BE(entries.length, 0);
  let at = 128 + table.length;
  entries.forEach(([tag, { length }], index) => {
    table.write(tag, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(at, 8 + 12 * index);
    table.writeUInt32BE(length, 12 + 12 * index);
    at += length;
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(at, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write(`mntr${space}XYZ `, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  D50.forEach((value, index) => void header.writeInt32BE(fixed(value), 68 + 4 * index));
  return Buffer.concat([header, table, ...entries.map(([, data]) => data)]);
}

function fixed(value: number): number {
  return Math.round(value * 65_536);
}

function description(): Buffer {
  const tag = Buffer.alloc(96);
  tag.write('desc', 0, 'latin1');
  tag.writeUInt32BE(5, 8);
  tag.write('test', 12, 'latin1');
  return tag;
}

function xyz(values: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 0, 'latin1');
  values.forEach((value, index) => void tag.writeInt32BE(fixed(value), 8 + 4 * index));
  return tag;
}

function gammaCurve(gamma: number): Buffer {
  const tag = Buffer.alloc(16);
  tag.write('curv', 0, 'latin1');
  tag.writeUInt32BE(1, 8);
  tag.writeUInt16BE(Math.round(gamma * 256), 12);
  return tag;
}

/** A table of 1,024 values. */
function srgbCurve(): Buffer {
  const tag = Buffer.alloc(12 + 2 * 1_024);
  tag.write('curv', 0, 'latin1');
  tag.writeUInt32BE(1_024, 8);
  for (let at = 0; at < 1_024; at++) {
    const value = at / 1_023;
    const light = value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    tag.writeUInt16BE(Math.round(65_535 * light), 12 + 2 * at);
  }
  return tag;
}
