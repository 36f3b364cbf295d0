/** `npm run bench:client`: what each client command takes as jobs grow, against servers on this machine. */
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { allRows } from './client/all-rows.ts';
import { type Measured, measure } from './client/measure.ts';
import { type ClientRow, type Conditions, SIZES, TEN_MILLION } from './client/row.ts';
import { clientTable, type MeasuredRow } from './client/table.ts';

type Options = { only?: string; most: number; tenMillion: boolean; latency: number; json: boolean };

const { only, most, tenMillion, latency, json } = new Command('bench:client')
  .description('Measures time and peak memory of each client command at 10,000 to 1,000,000 parts, letters or lines.')
  .option('--only <text>', 'rows whose name has this text')
  .option('--most <n>', 'leave out sizes above', wholeNumber(1, TEN_MILLION), TEN_MILLION)
  .option('--ten-million', 'also with ten million: takes an hour or more', false)
  .option(
    '--latency <ms>',
    'before each answer of S3 and SQS, in rows that have such a server',
    wholeNumber(0, 10_000),
    0,
  )
  .option('--json', 'the figures as JSON on standard output, in place of a table', false)
  .allowExcessArguments(false)
  .parse()
  .opts<Options>();

const measured: MeasuredRow[] = [];
for (const row of await allRows()) {
  if (only !== undefined && !row.name.includes(only)) continue;
  for (const size of row.sizes ?? SIZES) {
    if (size > most || (size === TEN_MILLION && !tenMillion)) continue;
    process.stderr.write(`${row.name}, ${size.toLocaleString('en')} ${row.unit}\n`);
    measured.push({ row, size, measured: await tried(row, { size, latencyMs: latency }) });
  }
}
const lines = measured.map(({ row, size, measured: figures }) => ({
  ...{ name: row.name, unit: row.unit, size },
  ...(figures instanceof Error ? { failed: figures.message } : figures),
}));
process.stdout.write(json ? `${JSON.stringify(lines, null, 2)}\n` : `${clientTable(measured)}\n`);
process.exitCode = measured.some(({ measured: figures }) => figures instanceof Error) ? 1 : 0;

async function tried(row: ClientRow, conditions: Conditions): Promise<Measured | Error> {
  try {
    await using prepared = await row.prepare(conditions);
    return await measure(prepared);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error;
  }
}
