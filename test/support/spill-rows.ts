/**
 * A process that looks for duplicates among rows, of which few fit into memory: `spill-rows.ts ROWS SLOTS`. Prints how
 * many were kept, what the folder of temporary files holds meanwhile, and the files that are open without a name at
 * the end; or the error.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { SourceRow } from '../../shared/jobs/source-row.ts';
import { uniqueImages } from '../../shared/jobs/unique-images.ts';

const [rows = 0, slots = 0] = process.argv.slice(2).map(Number);

async function* numbered(): AsyncGenerator<SourceRow> {
  for (let line = 1; line <= rows; line++) {
    const url = `https://host/${line}.jpg`;
    yield { line, image: { id: url, url } };
  }
}

function openWithoutName(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.endsWith(' (deleted)') ? [target] : [];
    } catch {
      return [];
    }
  });
}

function print(report: object): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

try {
  let kept = 0;
  let during = { named: [''], unnamed: 0 };
  for await (const _row of uniqueImages(numbered(), { slotsInMemory: slots })) {
    if (++kept === rows) during = { named: readdirSync(tmpdir()), unnamed: openWithoutName().length };
  }
  print({ kept, during, after: openWithoutName().length });
} catch (error) {
  print({ name: (error as Error).name, message: (error as Error).message });
}
