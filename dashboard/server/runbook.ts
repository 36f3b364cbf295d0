import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunbookEntry } from '../contract/health.ts';

const FILE = join(import.meta.dirname, '../../docs/runbook.md');

/** An entry of the runbook: from its heading to the next one of its level. Undefined where there is none. */
export async function runbookEntry(entry: string): Promise<RunbookEntry | undefined> {
  const sections = (await readFile(FILE, 'utf8')).split(/^## /m).slice(1);
  for (const section of sections) {
    const [title = '', ...lines] = section.split('\n');
    if (anchorOf(title) === entry) return { entry, title, markdown: lines.join('\n').trim() };
  }
  return undefined;
}

/** The anchor that GitHub makes from a heading. */
function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-');
}
