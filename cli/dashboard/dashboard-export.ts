import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportOutcomes } from '../../dashboard/server/exports.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { createWorkFolder, type WorkFolder } from '../terminal/work-folder.ts';

/** Makes the files of `results` and `failures` for the dashboard. */
export function exporterOf(target: JobTarget): ExportOutcomes {
  return async (request) => {
    const folder = await createWorkFolder();
    try {
      const path = await writeExport(target, request, folder);
      const content = createReadStream(path);
      content.once('close', () => folder[Symbol.dispose]());
      return { bytes: (await stat(path)).size, content };
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  };
}

async function writeExport(
  target: JobTarget,
  { job, kind, format }: Parameters<ExportOutcomes>[0],
  folder: WorkFolder,
): Promise<string> {
  const { OutcomeDatabase } = await import('../export/outcome-database.ts');
  const { gatherOutcomes } = await import('../export/gather-outcomes.ts');
  const { exportOutcomes } = await import('../export/export-outcomes.ts');
  await using database = await OutcomeDatabase.create(folder.path);
  const summary = await gatherOutcomes(target, job, database, { folder: folder.path, version: packageJson.version });
  const path = join(folder.path, `export.${format}`);
  await exportOutcomes(database, summary, { kind }, { path, format, gzip: false, byteOrderMark: format === 'csv' });
  return path;
}
