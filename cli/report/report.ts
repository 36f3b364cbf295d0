import { writeFile } from 'node:fs/promises';
import type { ImageFailure } from '../../shared/contract/error-codes.ts';
import { MAX_REPORT_LABELS } from '../../shared/contract/limits.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { withOutcomes } from '../export/export-command.ts';
import { counted } from '../terminal/counted.ts';
import { failureHintsOf } from '../terminal/failure-hints.ts';
import { checkOutput, writeOutput } from '../terminal/output-file.ts';
import { startProgress } from '../terminal/progress.ts';
import { print, printNote } from '../terminal/terminal.ts';
import type { Shelf } from './gallery.ts';
import { isReport } from './mark.ts';
import type { SampleImage } from './report-data.ts';

type Options = { out: string; force?: boolean; images: number; allowHost?: string[]; json?: true };

const NOTHING_TO_SHOW = '; no image of this job has a label so far';
/** Some images are gone by the time of the report; these take their places. */
const SPARE_IMAGES = 3;

/** Writes the page that shows a job. */
export async function report(job: string, { out, force = false, images, allowHost, json }: Options): Promise<void> {
  const output = { path: out, force, isOwn: isReport };
  const settings = classifierSettingsFrom({
    ...process.env,
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
  await checkOutput(output);
  await withOutcomes(job, {}, async ({ database, summary, folder }) => {
    const { sampleImages, timelineOf } = await import('./report-data.ts');
    const { reportPage } = await import('./page.ts');
    const labels = summary.labels.slice(0, MAX_REPORT_LABELS).map(({ label }) => label);
    const samples = images === 0 ? new Map() : await sampleImages(database, labels, images + SPARE_IMAGES);
    const left: LeftOut[] = [];
    const gallery = await galleryOf(samples, images, settings, (one) => left.push(one));
    const page = await reportPage({ summary, timeline: await timelineOf(database), gallery });
    await writeOutput(output, folder, (path) => writeFile(path, page));
    const thumbnails = gallery.reduce((sum, shelf) => sum + shelf.thumbnails.length, 0);
    if (json) print(`${JSON.stringify({ ...summary, file: { format: 'html', thumbnails } })}\n`);
    printNote(
      `${visibleLine(out)}: ${counted(thumbnails, 'sample image')}${samples.size === 0 && images > 0 ? NOTHING_TO_SHOW : leftOutText(left)}\n`,
    );
    printNote(failureHintsOf(left));
  });
}

type LeftOut = { url: string; failure: ImageFailure };

/** E.g. `; 3 could not be fetched: 2 not_found, 1 timeout`. */
function leftOutText(left: readonly LeftOut[]): string {
  if (left.length === 0) return '';
  const codes = Map.groupBy(left, ({ failure }) => failure.code);
  const counts = Array.from(codes, ([code, failures]) => `${failures.length} ${code}`).join(', ');
  return `; ${left.length} could not be fetched: ${counts}`;
}

async function galleryOf(
  samples: ReadonlyMap<string, readonly SampleImage[]>,
  perLabel: number,
  settings: ReturnType<typeof classifierSettingsFrom>,
  onLeftOut: (image: LeftOut) => void,
): Promise<Shelf[]> {
  const total = [...samples.values()].reduce((sum, { length }) => sum + length, 0);
  if (total === 0) return [];
  const { createGallery } = await import('./gallery.ts');
  const progress = startProgress('fetched', total);
  return createGallery(samples, perLabel, settings, (done, url, failure) => {
    if (failure !== undefined) onLeftOut({ url, failure });
    progress.update(done);
  }).finally(() => progress.stop());
}
