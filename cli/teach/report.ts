import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import pMap from 'p-map';
import { makeThumbnail } from '../../shared/classifier/decode/thumbnail.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { type Output, writeOutput } from '../terminal/output-file.ts';
import type { LabeledPhoto } from './labeled-photo.ts';
import type { PhotoReader } from './photo-reader.ts';
import { PAIRS_SHOWN, type TeachingPage, teachingPage } from './report-page.ts';
import type { Teaching } from './teaching.ts';

const AT_ONCE = 8;

/** Writes the report page of a training, with its photos. */
export async function writeReport(
  output: Output,
  { reader, ...content }: Omit<TeachingPage, 'thumbnails'> & { reader: PhotoReader },
): Promise<void> {
  const thumbnails = await thumbnailsOf(displayedPhotos(content.teaching), reader);
  const page = await teachingPage({ ...content, thumbnails });
  await writeOutput(output, tmpdir(), (path) => writeFile(path, page));
}

function displayedPhotos({ unsure, pairs, acrossLabels }: Teaching): LabeledPhoto[] {
  const listed = [...acrossLabels.slice(0, PAIRS_SHOWN), ...pairs.slice(0, PAIRS_SHOWN)];
  return [...new Set([...unsure.map(({ photo }) => photo), ...listed.flatMap(({ one, other }) => [one, other])])];
}

/** By source. Photos that cannot be read again are left out. */
async function thumbnailsOf(
  photos: readonly LabeledPhoto[],
  reader: PhotoReader,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await pMap(
    photos,
    async (photo) => {
      const bytes = await reader.read(photo);
      const small = bytes instanceof ImageFailure ? bytes : await makeThumbnail(bytes);
      if (!(small instanceof ImageFailure)) {
        found.set(photo.source, `data:image/webp;base64,${small.toString('base64')}`);
      }
    },
    { concurrency: AT_ONCE },
  );
  return found;
}
