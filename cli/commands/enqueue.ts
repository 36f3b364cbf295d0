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
    .description('Check a list of images, then put them on the queue.')
    .argument(
      '<source...>',
      'files of URLs or JSON lines, .csv, .tsv or .parquet (each also .gz or .zst), - for standard input, a folder, or s3://bucket/prefix/',
    )
    .option('--job <name>', "the job's name (default: made from the source's name and the time)", jobName)
    .option(
      '--per-message <n>',
      `images per message, 1 to ${MAX_IMAGES_PER_MESSAGE} (default: by the number of images, ${MESSAGE_SIZES[0]} to ${MESSAGE_SIZES.at(-1)})`,
      wholeNumber(1, MAX_IMAGES_PER_MESSAGE),
    )
    .addOption(
      new Option('--format <format>', 'of files, whatever their names are').choices(['lines', 'csv', 'tsv', 'parquet']),
    )
    .option('--encoding <label>', 'of text, e.g. windows-1252 or shift_jis (default: UTF-8, or UTF-16 where it shows)')
    .option('--delimiter <character>', 'of a table, or "tab" (default: the one that its header line shows)', delimiter)
    .option('--url-column <name>', 'of a table (default: url, image_url, imagelink, … that holds URLs)')
    .option(
      '--id-column <name>',
      'of a table; the column of the URL for no other id (default: id, else the URL is the id)',
    )
    .option('--meta', 'the other columns of a table become meta, which comes back in the result lines')
    .option(
      '--include <glob>',
      'names under a folder or prefix that are meant; may be repeated (default: images)',
      repeated,
    )
    .option('--exclude <glob>', 'names under a folder or prefix that are not meant; may be repeated', repeated)
    .option(
      '--skip-invalid',
      'write the rows that name no image to a file that can be fixed and enqueued, and send the others',
    )
    .option(
      '--max-failure-rate <share>',
      'the job cancels itself once this share of 200 or more outcomes failed',
      share,
    )
    .option(
      '--max-cost <usd>',
      'the job cancels itself before it has cost so much, by the time that its workers measure',
      dollars,
    )
    .option(
      '--notify <url>',
      'a webhook that is told when the job has ended: signed as Standard Webhooks has it, see docs/events.md',
      webhookUrl,
    )
    .option('--resume', 'go on with a job that was interrupted: sends only what was not sent')
    .option(
      '--dry-run',
      'send nothing; report counts, hosts, how the source was read and what it will cost; needs no AWS',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nNeeds --stack, or QUEUE_URL, DEAD_LETTER_QUEUE_URL and RESULTS_BUCKET; \`${commandName()} local\` prints them.`,
    )
    .action(whenRun(async () => (await import('../enqueue/enqueue.ts')).enqueueSources));
  return withSampleOptions(withNotInOptions(command));
}

/** Whether it is `enqueue --dry-run` of what lies on this machine: it asks neither the queue nor the bucket for anything. */
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
