import { Command, InvalidArgumentError, Option } from 'commander';
import { MAX_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { MESSAGE_SIZES } from '../../shared/contract/message-size.ts';
import { parseS3Prefix } from '../../shared/contract/urls.ts';
import { dollars, jobName, jsonOption, repeated, share, webhookUrl, wholeNumber } from '../options.ts';
import { commandName } from '../terminal/command-name.ts';
import { withNotInOptions } from './not-in-options.ts';
import { withSampleOptions } from './sample-options.ts';
import { whenRun } from './when-run.ts';

export function enqueueCommand(): Command {
  const command = new Command('enqueue')
    .description('Check a list of images, then send it to the queue.')
    .argument(
      '<source...>',
      'files of URLs or JSON lines, .csv, .tsv or .parquet (each also .gz or .zst), - for standard input, a folder, or s3://bucket/prefix/',
    )
    .option('--job <name>', "job name (default: made from the source's name and the time)", jobName)
    .option(
      '--per-message <n>',
      `images per message, 1 to ${MAX_IMAGES_PER_MESSAGE} (default: ${MESSAGE_SIZES[0]} to ${MESSAGE_SIZES.at(-1)}, depending on the number of images)`,
      wholeNumber(1, MAX_IMAGES_PER_MESSAGE),
    )
    .addOption(
      new Option('--format <format>', 'override the format guessed from the file name').choices([
        'lines',
        'csv',
        'tsv',
        'parquet',
      ]),
    )
    .option(
      '--encoding <label>',
      'text encoding, e.g. windows-1252 or shift_jis (default: UTF-8, or UTF-16 if detected)',
    )
    .option(
      '--delimiter <character>',
      'field delimiter of a table, or "tab" (default: detected in the header line)',
      delimiter,
    )
    .option('--url-column <name>', 'column with the URLs (default: url, image_url, imagelink, …, whichever holds URLs)')
    .option(
      '--id-column <name>',
      'column with the ids; give the URL column to use URLs as ids (default: id, else the URL)',
    )
    .option('--meta', 'put the other columns of a table into meta, which result lines repeat')
    .option('--include <glob>', 'files to include from a folder or prefix; may be repeated (default: images)', repeated)
    .option('--exclude <glob>', 'files to exclude from a folder or prefix; may be repeated', repeated)
    .option('--skip-invalid', 'save invalid rows to a file that can be fixed and enqueued, and send the rest')
    .option(
      '--max-failure-rate <fraction>',
      'cancel the job when more than this fraction fails (after 200 outcomes), e.g. 0.2',
      share,
    )
    .option(
      '--max-cost <usd>',
      'cancel the job before it costs more than this in US dollars, based on the time that its workers measure',
      dollars,
    )
    .option(
      '--notify <url>',
      'webhook to call when the job ends, signed according to Standard Webhooks (see docs/events.md)',
      webhookUrl,
    )
    .option('--resume', 'continue an interrupted job: send only the images that were not sent')
    .option('--dry-run', 'send nothing; report counts, hosts, cost and how the source was read; needs no AWS')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nNeeds --stack, or QUEUE_URL, DEAD_LETTER_QUEUE_URL and RESULTS_BUCKET;\n\`${commandName()} local\` prints them.`,
    )
    .action(whenRun(async () => (await import('../enqueue/enqueue.ts')).enqueueSources));
  return withSampleOptions(withNotInOptions(command));
}

/** Whether it is `enqueue --dry-run` with local sources, which uses neither the queue nor the bucket. */
export function needsNoService(command: Command): boolean {
  const { dryRun, notIn } = command.opts<{ dryRun?: true; notIn?: string[] }>();
  if (command.name() !== 'enqueue' || !dryRun || notIn !== undefined) return false;
  return command.args.every((name) => parseS3Prefix(name) === undefined);
}

/** For commander. */
function delimiter(text: string): string {
  const character = text === 'tab' || text === '\\t' ? '\t' : text;
  if (/^[^"\r\n]$/.test(character)) return character;
  throw new InvalidArgumentError('Expected one character that is not a quote, or "tab".');
}
