import { glob, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CLOSED_TO_PROGRAMS, IMPORT_RULES, importFault } from './import-rules.ts';
import { importsOf } from './read-imports.ts';

/** The project to check: this one, unless its folder is named. */
const [project = join(import.meta.dirname, '../..')] = process.argv.slice(2);

const places = [...IMPORT_RULES, ...CLOSED_TO_PROGRAMS].map(({ place }) => place);
const patterns = places.map((place) => (place.endsWith('/') ? `${place}**/*.{ts,tsx,mjs}` : place));
const files = await Array.fromAsync(glob(patterns, { cwd: project, exclude: ['bench/peers/**'] }));
const faults = await Promise.all(
  files.map(async (file) => {
    const imports = await importsOf(file, await readFile(resolve(project, file), 'utf8'));
    return imports.flatMap((imported) => importFault(file, imported) ?? []);
  }),
);
for (const fault of faults.flat().sort()) process.stderr.write(`${fault}\n`);
process.stdout.write(`Checked the imports of ${files.length} files: ${faults.flat().length} are not allowed.\n`);
if (faults.flat().length > 0) process.exitCode = 1;
