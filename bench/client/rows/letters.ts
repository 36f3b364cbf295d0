/** Commands that go through the DLQ, most of whose letters are of other jobs. */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startAwsProcess } from '../../../testkit/aws-process.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';

const SIZES = [10_000, 100_000, 250_000];
/** No message is received twice because of it. */
const VISIBILITY_TIMEOUT_SECONDS = 720;

export const rows = [
  row('redrive JOB, letters of others', () => ['redrive', 'own']),
  row('redrive --unreadable', (folder) => ['redrive', '--unreadable', '--out', join(folder, 'unreadable.jsonl')]),
];

function row(name: string, argsOf: (folder: string) => string[]) {
  return {
    ...{ name, unit: 'letters', sizes: SIZES },
    prepare: ({ size }: { size: number }) => prepareLetters(size, argsOf),
  };
}

async function prepareLetters(letters: number, argsOf: (folder: string) => string[]) {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await createTemporaryFolder());
  const dataDir = join(folder.path, 'state');
  // Makes the database.
  await (await startTestAws({ dataDir })).stop();
  fill(dataDir, letters);
  const aws = starting.use(await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS, dataDir }));
  const running = starting.move();
  return {
    args: argsOf(folder.path),
    environment: aws.report.environment,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The last letter is of the job `own`. */
function fill(dataDir: string, letters: number): void {
  using database = new DatabaseSync(join(dataDir, 'fauxqs.db'));
  const insert = database.prepare(`
    INSERT INTO sqs_messages (message_id, queue_name, body, md5_of_body, message_attributes, md5_of_message_attributes,
      sent_timestamp) VALUES (?, 'labelqueue-dlq', ?, ?, '{}', '', ?)`);
  database.exec('BEGIN');
  for (let index = 1; index <= letters; index++) {
    const image = { id: `image-${index}`, url: `https://host.example/photos/${index}.jpg` };
    const body = JSON.stringify({ v: 1, job: index === letters ? 'own' : 'others', attempt: 5, images: [image] });
    insert.run(randomUUID(), body, createHash('md5').update(body).digest('hex'), Date.now());
  }
  database.exec('COMMIT');
}
