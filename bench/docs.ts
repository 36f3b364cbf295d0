/** `npm run bench:docs`: writes the figures of constants and of a results file into the pages that show them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type BenchmarkResults, benchmarkTables } from './docs/benchmark-tables.ts';
import { ARM_BREAK_EVEN, armBreakEven, assumedSentence, costTable, processorTable } from './docs/cost-tables.ts';
import { type Filled, fillIn } from './docs/fill-in.ts';
import { breakEvenTable, fleetCostTable, fleetFamilyTable, fleetPriceTable } from './docs/fleet-tables.ts';
import { fleetAssumptionList, fleetTable } from './scale/fleet-table.ts';
import { neighbourTable } from './scale/neighbours.ts';
import { scalePlot } from './scale/plot.ts';
import { assumptionList, scaleTables } from './scale/table.ts';

const DOCS = join(import.meta.dirname, '../docs');

const { results } = new Command('bench:docs')
  .description(
    'Writes tables into docs/cost.md, docs/fleet.md, docs/scale.md, docs/scale.svg and docs/fair-queues.md, and with --results into docs/benchmark.md.',
  )
  .option('--results <file>', 'what `npm run bench` wrote, with both halves')
  .allowExcessArguments(false)
  .parse()
  .opts<{ results?: string }>();

update('cost.md', [
  { name: 'cost', text: costTable() },
  { name: 'processors', text: processorTable() },
  { name: 'fleet', text: fleetCostTable() },
]);
replace('cost.md', /on the assumed processor\n\([^)]*\)/, assumedSentence());
replace('cost.md', ARM_BREAK_EVEN, armBreakEven());
update('scale.md', [
  { name: 'tables', text: scaleTables() },
  { name: 'assumptions', text: assumptionList() },
  { name: 'fleet', text: fleetTable() },
  { name: 'fleet-assumptions', text: fleetAssumptionList() },
]);
update('fleet.md', [
  { name: 'prices', text: fleetPriceTable() },
  { name: 'break-even', text: breakEvenTable() },
  { name: 'families', text: fleetFamilyTable() },
]);
update('fair-queues.md', [{ name: 'neighbours', text: neighbourTable() }]);
writeFileSync(join(DOCS, 'scale.svg'), scalePlot());
if (results !== undefined) {
  const read = JSON.parse(readFileSync(results, 'utf8')) as BenchmarkResults;
  update('benchmark.md', [{ name: 'figures', text: benchmarkTables(read) }]);
}

function update(page: string, parts: readonly Filled[]): void {
  const path = join(DOCS, page);
  writeFileSync(path, parts.reduce(fillIn, readFileSync(path, 'utf8')));
}

function replace(page: string, what: RegExp, text: string): void {
  const path = join(DOCS, page);
  const before = readFileSync(path, 'utf8');
  if (!what.test(before)) throw new Error(`expected docs/${page} to match ${what}`);
  writeFileSync(path, before.replace(what, text));
}
