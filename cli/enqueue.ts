import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_IMAGES_PER_MESSAGE, MAX_IMAGES_PER_MESSAGE } from '../shared/contract/limits.ts';
import { jobNameSchema } from '../shared/contract/message.ts';
import { packMessages } from '../shared/contract/pack-messages.ts';
import { jobSettingsFrom } from '../shared/contract/settings.ts';
import { enqueue } from '../shared/jobs/enqueue.ts';
import { createJobTarget } from '../shared/jobs/job-target.ts';
import { readSource } from '../shared/jobs/read-source.ts';
import { uniqueImages } from '../shared/jobs/unique-images.ts';
import { CommandError } from './expected-failures.ts';
import { wholeNumber } from './options.ts';
import { startProgress } from './progress.ts';

type Options = { job?: string; perMessage: number };

export function enqueueCommand(): Command {
  return new Command('enqueue')
    .description('Puts the images of a file on the queue, after checking all of its lines.')
    .argument('<file>', 'a URL a line, or a JSON object a line with url, id?, meta?; - for standard input')
    .option('--job <name>', "the job's name (default: made from the file's name and the time)", jobName)
    .option(
      '--per-message <n>',
      `images a message, 1 to ${MAX_IMAGES_PER_MESSAGE}`,
      wholeNumber(1, MAX_IMAGES_PER_MESSAGE),
      DEFAULT_IMAGES_PER_MESSAGE,
    )
    .addHelpText(
      'after',
      '\nNeeds QUEUE_URL, DEAD_LETTER_QUEUE_URL and RESULTS_BUCKET; `labelqueue local` prints them.',
    )
    .action(enqueueFile);
}

function jobName(text: string): string {
  const result = jobNameSchema.safeParse(text);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`Expected ${result.error.issues[0]?.message}.`);
}

async function enqueueFile(
  file: string,
  { job = defaultJobName(file, new Date()), perMessage }: Options,
): Promise<void> {
  const target = createJobTarget(jobSettingsFrom(process.env), {});
  await using source = await openSource(file);
  const { total, repetitions } = await countImages(source.path, job);
  if (total === 0) throw new CommandError(`${file}: expected at least one image, the file has none`);
  const progress = startProgress('enqueued', total);
  const enqueued = await enqueue(target, uniqueImages(readSource(source.path)), {
    job,
    source: file,
    perMessage,
    onProgress: (images) => progress.update(images),
  }).finally(() => progress.stop());
  const leftOut = repetitions === 0 ? '' : `; ${repetitions} exact repetitions left out`;
  process.stdout.write(`job ${job}: ${enqueued.images} images in ${enqueued.messages} messages${leftOut}\n`);
}

/** The first of two passes: a wrong line, or one that no message can hold, shall show before anything is sent. */
async function countImages(path: string, job: string): Promise<{ total: number; repetitions: number }> {
  let total = 0;
  let repetitions = 0;
  const images = uniqueImages(readSource(path), () => repetitions++);
  for await (const message of packMessages(job, 1, images)) total += message.images;
  return { total, repetitions };
}

/** What can be read once only, standard input or another pipe, is kept in a file meanwhile. */
async function openSource(file: string): Promise<AsyncDisposable & { path: string }> {
  if (file !== '-' && (await stat(file)).isFile()) return { path: file, async [Symbol.asyncDispose]() {} };
  const input = file === '-' ? process.stdin : createReadStream(file);
  const folder = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  const path = join(folder, 'input');
  const remove = () => rm(folder, { recursive: true });
  await pipeline(input, createWriteStream(path, { mode: 0o600 })).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return { path, [Symbol.asyncDispose]: remove };
}

/** E.g. `cats-20261124-071500`, in UTC. */
export function defaultJobName(file: string, now: Date): string {
  const name = (file === '-' ? 'stdin' : basename(file)).replace(/\.[^.]*$/, '').replaceAll(/[^A-Za-z0-9._-]+/g, '-');
  const time = now
    .toISOString()
    .replaceAll(/[-:]|\..*$/g, '')
    .replace('T', '-');
  return `${name.replace(/^[^A-Za-z0-9]+/, '').slice(0, 80) || 'job'}-${time}`;
}
