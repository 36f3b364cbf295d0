import expectedLabels from '../../samples/expected.json' with { type: 'json' };
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { RightOutcome } from '../chaos/image-kinds.ts';
import { REFUSED_HOSTS } from '../classifier/refused-hosts.ts';
import { FORMATS, type Format, type ODDITIES, PHOTO_OF } from './hostile-images.ts';

/** Something that a host does to whoever fetches an image of a format, and what must become of that image. */
export type Attack = {
  behaviour: string;
  /** The name of what the host sends: see `makeBody`. */
  body: string;
  /** @param key makes the path one that no other image has */
  path: (key: string) => string;
  /** In place of a misbehaving server: a name, which only a name server knows. */
  host?: (key: string) => string;
  right: RightOutcome;
};

/** Values of Content-Encoding: names that an object has of itself, and what nobody can decode. */
const ENCODINGS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'gzip, __proto__', 'zip', '\u00ff'];
/** A list without elements: nothing is encoded. */
const NO_ENCODING = ', ,';

/** Of each kind of refused address one: all of them are tried in address-rules.test.ts. */
const REFUSED = Object.values(REFUSED_HOSTS).flatMap(([host = '']) => host);

const LABEL = (format: Format): RightOutcome => {
  const labels: Record<string, { label: string }> = expectedLabels;
  return { label: labels[`photos/${PHOTO_OF[format]}`]?.label ?? '' };
};
const code = (only: ErrorCode): RightOutcome => ({ code: only });

/** The parser gives up, and the connection with it: which of the two comes first is a matter of pieces. */
const BROKEN: RightOutcome = { codes: ['invalid_response', 'connection_failed'] };

/** With the photo of a format as its body. */
function overTheWire(format: Format): Attack[] {
  const of = (behaviour: string, right: RightOutcome, query = ''): Attack => ({
    behaviour,
    body: format,
    path: (key) => `/${behaviour}/${format}/${key}${query}`,
    right,
  });
  return [
    of('plain', LABEL(format)),
    of('keep-open', LABEL(format)),
    of('other-type', LABEL(format)),
    of('cookies', LABEL(format)),
    ...ENCODINGS.map((encoding) => ({
      ...of('encoded-as', code('invalid_response'), `?encoding=${encodeURIComponent(encoding)}`),
      behaviour: `encoded-as ${encoding}`,
    })),
    {
      ...of('encoded-as', LABEL(format), `?encoding=${encodeURIComponent(NO_ENCODING)}`),
      behaviour: `encoded-as ${NO_ENCODING}`,
    },
    of('hang', code('timeout')),
    of('stall', code('timeout')),
    of('drip-body', code('timeout')),
    of('drip-headers', code('timeout')),
    of('early-hints', { codes: ['timeout', 'invalid_response'] }),
    of('reset', code('connection_failed')),
    of('half-sent', code('connection_failed')),
    of('two-lengths', BROKEN),
    of('length-below-zero', code('invalid_response')),
    of('length-and-chunks', BROKEN),
    of('a-nul-in-a-header', LABEL(format)),
    of('many-headers', LABEL(format)),
    of('too-many-headers', code('invalid_response')),
    of('endless', code('too_large')),
    of('gzip-bomb', code('too_large')),
    of('half-gzip', code('invalid_response')),
    of('gibberish', code('invalid_response')),
    of('redirect-loop', code('too_many_redirects')),
    ...REFUSED.map((host) => ({
      ...of('redirect-to', code('address_not_allowed'), `?url=${encodeURIComponent(`http://${host}:1/`)}`),
      behaviour: `redirect-to ${host}`,
    })),
  ];
}

/** The first frame of an animation may be whole; a TIFF whose directory is cut off is bytes of no known format. */
const RIGHT_OF_HALF: Partial<Record<Format, RightOutcome>> = {
  gif: 'any',
  tiff: { codes: ['corrupt', 'not_an_image'] },
};

/** In bodies that come as they should. */
function inTheImage(format: Format): Attack[] {
  const of = (spoiled: string, right: RightOutcome): Attack => ({
    behaviour: `${spoiled} ${format}`,
    body: `${spoiled}-${format}`,
    path: (key) => `/plain/${spoiled}-${format}/${key}`,
    right,
  });
  return [
    of('cut', { codes: ['corrupt', 'not_an_image'] }),
    of('half', RIGHT_OF_HALF[format] ?? code('corrupt')),
    of('one-byte', code('not_an_image')),
    of('only-magic', { codes: ['corrupt', 'not_an_image', 'unsupported_format'] }),
    of('pixel-bomb', { codes: ['too_many_pixels', 'corrupt'] }),
  ];
}

/**
 * A text that is read at the cost of nothing does no harm. Whether a decode exceeds its time depends on the processor:
 * that it is stopped then, is tested by expensive-images.test.ts.
 */
const RIGHT_OF_ODDITY: Record<keyof typeof ODDITIES, RightOutcome> = {
  'many-scans': 'any',
  'huge-ztxt': 'any',
  'raw-tiff': 'any',
  'cut-raw-tiff': code('corrupt'),
  svg: code('unsupported_format'),
  pdf: code('not_an_image'),
  heic: { codes: ['unsupported_format', 'corrupt'] },
};

/** Names whose server does not answer: each image has its own, and each look-up takes its whole time. */
const SILENT_NAMES: Attack[] = Array.from({ length: 12 }, () => ({
  behaviour: 'silent-name-server',
  body: 'jpeg',
  path: (key) => `/plain/jpeg/${key}`,
  host: (key) => `name-${key}.silent.invalid`,
  right: { codes: ['timeout', 'name_not_resolved'] },
}));

/**
 * Behaviours with all formats.
 *
 * @param wanted how the names of those behaviours start that are wanted; empty for all
 */
export function attacksOf(wanted: readonly string[]): Attack[] {
  const odd = Object.entries(RIGHT_OF_ODDITY).map(([name, right]) => ({
    behaviour: name,
    body: name,
    path: (key: string) => `/plain/${name}/${key}`,
    right,
  }));
  const all = [
    ...FORMATS.flatMap((format) => [...overTheWire(format), ...inTheImage(format)]),
    ...odd,
    ...SILENT_NAMES,
  ];
  if (wanted.length === 0) return all;
  return all.filter(({ behaviour }) => wanted.some((start) => behaviour.startsWith(start)));
}
