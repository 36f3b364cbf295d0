import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PackageError } from './package-error.ts';

/** A library that is linked into the one binary of libvips. */
export type LinkedLibrary = Facts & {
  name: string;
  version: string | undefined;
  /** As sharp's packager states them. */
  terms: string;
};

type Facts = {
  /** In versions.json; a library without one is part of another's sources. */
  key?: string;
  /** Identifiers of the SPDX list; all of them hold. */
  licenses: readonly string[];
  copyright: string;
};

/** The authors are those that the libraries' own license files name first. */
const LIBRARIES: ReadonlyMap<string, Facts> = new Map(
  Object.entries({
    aom: { key: 'aom', licenses: ['BSD-2-Clause'], copyright: 'Alliance for Open Media' },
    cairo: {
      key: 'cairo',
      licenses: ['MPL-1.1'],
      copyright: 'University of Southern California, Red Hat, Inc. and others',
    },
    cgif: { key: 'cgif', licenses: ['MIT'], copyright: '2021-2025 Daniel Löbl' },
    expat: {
      key: 'expat',
      licenses: ['MIT'],
      copyright: '1998-2000 Thai Open Source Software Center Ltd and Clark Cooper; Expat maintainers',
    },
    fontconfig: {
      key: 'fontconfig',
      licenses: ['HPND-sell-variant'],
      copyright: '2001, 2003 Keith Packard and others',
    },
    freetype: { key: 'freetype', licenses: ['FTL'], copyright: 'David Turner, Robert Wilhelm and Werner Lemberg' },
    fribidi: { key: 'fribidi', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of FriBidi' },
    glib: { key: 'glib', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of GLib' },
    harfbuzz: {
      key: 'harfbuzz',
      licenses: ['MIT', 'MIT-Modern-Variant'],
      copyright: '2010-2022 Google, Inc.; Behdad Esfahbod; Red Hat, Inc. and others',
    },
    highway: { key: 'highway', licenses: ['BSD-3-Clause'], copyright: 'The Highway Project Authors' },
    lcms: { key: 'lcms', licenses: ['MIT'], copyright: '1998-2023 Marti Maria Saguer' },
    libarchive: { key: 'archive', licenses: ['BSD-2-Clause'], copyright: 'Tim Kientzle and others' },
    libexif: { key: 'exif', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of libexif' },
    libffi: { key: 'ffi', licenses: ['MIT'], copyright: 'Anthony Green, Red Hat, Inc. and others' },
    libheif: { key: 'heif', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of libheif' },
    libimagequant: {
      key: 'imagequant',
      licenses: ['BSD-2-Clause'],
      copyright: 'Jef Poskanzer, Greg Roelofs, Kornel Lesiński',
    },
    libnsgif: { licenses: ['MIT'], copyright: 'Richard Wilson, Sean Fox and others' },
    libpng: { key: 'png', licenses: ['libpng-2.0'], copyright: '1995-2022 The PNG Reference Library Authors' },
    librsvg: { key: 'rsvg', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of librsvg' },
    libtiff: {
      key: 'tiff',
      licenses: ['libtiff'],
      copyright: '1988-1997 Sam Leffler; 1991-1997 Silicon Graphics, Inc.',
    },
    libultrahdr: { key: 'uhdr', licenses: ['MIT'], copyright: 'The Android Open Source Project' },
    libvips: { key: 'vips', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of libvips' },
    libwebp: { key: 'webp', licenses: ['BSD-3-Clause'], copyright: '2010 Google Inc.' },
    libxml2: { key: 'xml2', licenses: ['MIT'], copyright: '1998-2017 Daniel Veillard' },
    mozjpeg: {
      key: 'mozjpeg',
      licenses: ['Zlib', 'IJG', 'BSD-3-Clause'],
      copyright: '1991-2020 Thomas G. Lane, Guido Vollbeding; D. R. Commander; Mozilla Corporation and others',
    },
    pango: { key: 'pango', licenses: ['LGPL-3.0-or-later'], copyright: 'the authors of Pango' },
    pixman: {
      key: 'pixman',
      licenses: ['MIT'],
      copyright: 'The Open Group, Digital Equipment Corporation, Keith Packard, Red Hat, Inc. and others',
    },
    'proxy-libintl': { key: 'proxy-libintl', licenses: ['LGPL-3.0-or-later'], copyright: 'Tor Lillqvist and others' },
    'zlib-ng': { key: 'zlib-ng', licenses: ['Zlib'], copyright: '1995-2024 Jean-loup Gailly and Mark Adler' },
  } satisfies Record<string, Facts>),
);

/**
 * The libraries that a package of libvips says it holds.
 *
 * @param folder of `@img/sharp-libvips-<platform>`, with its README.md and versions.json
 * @throws {PackageError} when it holds one whose license is not known here
 */
export function libvipsLibraries(folder: string): LinkedLibrary[] {
  const versions = new Map<string, string>(
    Object.entries(JSON.parse(readFileSync(join(folder, 'versions.json'), 'utf8'))),
  );
  const rows = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| (\S+) +\| (.+?) *\|$/gm)];
  const stated = rows.map(([, name = '', terms = '']) => ({ name, terms })).filter(({ name }) => name !== 'Library');
  const keys = new Set(stated.map(({ name }) => LIBRARIES.get(name)?.key));
  const unknown = [
    ...stated.map(({ name }) => name).filter((name) => !LIBRARIES.has(name)),
    ...[...versions.keys()].filter((key) => !keys.has(key)),
  ];
  if (stated.length === 0 || unknown.length > 0) {
    throw new PackageError(
      `expected the libraries of libvips-libraries.ts in ${folder}, got also ${unknown.join(', ') || 'no list at all'}: ` +
        'look up their licenses and add them there',
    );
  }
  return stated.map(({ name, terms }) => {
    const facts = LIBRARIES.get(name) as Facts;
    return { ...facts, name, terms, version: facts.key === undefined ? undefined : versions.get(facts.key) };
  });
}
