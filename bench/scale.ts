/** `npm run bench:scale`: how long a million and 100 million images take on AWS, and what keeps them from going faster. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import benchmark from './results/2026-11-27.json' with { type: 'json' };
import { benchmarkChecks, checkAgainstWorkers, checkTable } from './scale/check.ts';
import { fleetAssumptionList, fleetTable } from './scale/fleet-table.ts';
import { neighbourTable } from './scale/neighbours.ts';
import { scalePlot } from './scale/plot.ts';
import { assumptionList, scaleTables } from './scale/table.ts';

const { plot, check, json } = new Command('bench:scale')
  .description('Simulates the scaling that AWS documents, fed with the measured times; prints tables and assumptions.')
  .option('--plot <file>', 'also draw it, as SVG')
  .option('--check <times>', 'instead, compare with one and two workers on this machine', wholeNumber(1, 50))
  .option('--json', 'with --check: every figure as JSON', false)
  .allowExcessArguments(false)
  .parse()
  .opts<{ plot?: string; check?: number; json: boolean }>();

if (check === undefined) {
  process.stdout.write(
    `${scaleTables()}\n\n${fleetTable()}\n\n${neighbourTable()}\n\n${assumptionList()}\n\n${fleetAssumptionList()}\n`,
  );
  if (plot !== undefined) writeFileSync(plot, scalePlot());
} else {
  const checks = await checkAgainstWorkers(check, (what) => process.stderr.write(`${what}\n`));
  process.stdout.write(
    json
      ? `${JSON.stringify(checks, undefined, 2)}\n`
      : `${checkTable(checks, benchmarkChecks(benchmark.figures.native))}\n`,
  );
}
