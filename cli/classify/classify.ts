import type { Command } from 'commander';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { type Classification, classifiedLine, failureLine, type ModelId } from '../../shared/contract/result-line.ts';
import { parseS3Url } from '../../shared/contract/urls.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import { createS3Client } from '../../shared/jobs/s3-client.ts';
import { classifierSettingsFrom } from '../../shared/settings.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import { EXIT } from '../terminal/exit-codes.ts';
import { failureHintsOf } from '../terminal/failure-hints.ts';
import { print, printNote } from '../terminal/terminal.ts';
import { classifyInputs } from './classify-inputs.ts';
import { labelsText } from './labels-text.ts';

type Options = ModelOptions & { top: number; embedding?: true; json?: true; allowHost?: string[] };

/** Labels images in this process, and prints them in the order in which they were named. */
export async function classify(inputs: string[], options: Options, self: Command): Promise<void> {
  const { top, embedding, json, allowHost, ...model } = options;
  if (embedding && !json) self.error('error: --embedding needs --json: text has no place for it');
  const s3 = createS3Client();
  const buckets = inputs.flatMap((input) => parseS3Url(input)?.bucket ?? []);
  // A missing region is wrong usage rather than a failure of each image.
  if (buckets.length > 0) await s3.config.region();
  const settings = classifierSettingsFrom({
    ...process.env,
    ...modelEnvironment(model),
    TOP_K: String(top),
    ...(embedding && { EMBEDDING: '1' }),
    // Whoever names a bucket here means it.
    SOURCE_BUCKETS: [process.env['SOURCE_BUCKETS'], ...buckets].join(','),
    ...(allowHost !== undefined && { ALLOWED_HOSTS: allowHost.join(',') }),
  });
  const { outcomes, model: id } = await classifyInputs(inputs, settings, s3);
  inputs.forEach((input, index) => {
    const outcome = outcomes[index] as Classification | ImageFailure;
    if (json) printJson(input, outcome, id);
    else printText(input, outcome, inputs.length > 1);
  });
  const failures = outcomes.flatMap((outcome, index) =>
    outcome instanceof ImageFailure ? { failure: outcome, url: inputs[index] ?? '' } : [],
  );
  printNote(failureHintsOf(failures));
  if (failures.length > 0) process.exitCode = EXIT.finishedWithFailures;
}

function printJson(input: string, outcome: Classification | ImageFailure, model: ModelId): void {
  const origin = { job: 'classify', image: { id: input, url: input }, attempt: 1, at: new Date() };
  const line =
    outcome instanceof ImageFailure ? failureLine(origin, outcome.report()) : classifiedLine(origin, outcome, model);
  print(`${JSON.stringify(line)}\n`);
}

function printText(input: string, outcome: Classification | ImageFailure, named: boolean): void {
  if (outcome instanceof ImageFailure) {
    printNote(`${visibleLine(input)}: ${outcome.code}: ${visibleLine(outcome.message)}\n`);
    return;
  }
  const heading = named ? `${visibleLine(input)}:\n` : '';
  print(`${heading}${labelsText(outcome.labels)}`);
}
