import { ListObjectsV2Command, type ListObjectsV2CommandOutput, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, expect, test } from '@jest/globals';
import { readS3Prefix } from '../../cli/enqueue/sources/s3-prefix-source.ts';
import { listObjects } from '../../shared/jobs/list-objects.ts';
import { purgeJob } from '../../shared/jobs/purge-job.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const NAMES = 3_000;
const UPLOADS = 'jobs/cats/images/';

const [aws] = await sharedByTests(startTestAws());
beforeAll(async () => {
  await put(['jobs/dogs/images/a.jpg', ...mixedNames().map((name) => `${UPLOADS}${name}`)]);
});

/** Names as cameras and people give them: `a-7.jpg`, `B-8.JPG`, `_9.jpg`, `é-10.jpg`. */
function mixedNames(): string[] {
  const kinds = ['a-%.jpg', 'B-%.JPG', 'img_%.jpg', 'IMG_%.jpg', '_%.png', 'Z%.webp', 'é-%.jpg', '猫-%.jpg', '9-%.jpg'];
  return Array.from({ length: NAMES }, (_, index) => (kinds[index % kinds.length] as string).replace('%', `${index}`));
}

async function put(keys: readonly string[]): Promise<void> {
  const { s3, resultsBucket: Bucket } = aws.target;
  for (let start = 0; start < keys.length; start += 50) {
    const some = keys.slice(start, start + 50);
    await Promise.all(some.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))));
  }
}

async function listed(prefix: string): Promise<string[]> {
  const { s3, resultsBucket } = aws.target;
  return Array.fromAsync(listObjects(s3, resultsBucket, prefix), ({ Key = '' }) => Key);
}

test('3,000 objects whose names mix case, accents and scripts are listed, each once', async () => {
  const keys = mixedNames().map((name) => `${UPLOADS}${name}`);
  expect(await listed(UPLOADS)).toEqual(keys.toSorted());
});

test('3,000 images below a prefix are enqueued, each once', async () => {
  const names = mixedNames();
  const { s3, resultsBucket: bucket } = aws.target;
  const rows = await Array.fromAsync(
    readS3Prefix(s3, { bucket, prefix: UPLOADS }, { include: [], exclude: [] }),
    (row) => ('image' in row ? row.image.url : row.problem),
  );
  expect(rows.toSorted()).toEqual(names.map((name) => `s3://${bucket}/${UPLOADS}${name}`).toSorted());
});

test('folders are distinguished across pages', async () => {
  const names = mixedNames().slice(0, 1_100);
  await put(names.map((name) => `folders/${name}/job.json`));
  const { s3, resultsBucket: Bucket } = aws.target;
  const folders: string[] = [];
  for (let ContinuationToken: string | undefined; ; ) {
    const command = new ListObjectsV2Command({ Bucket, Prefix: 'folders/', Delimiter: '/', ContinuationToken });
    const { CommonPrefixes = [], NextContinuationToken }: ListObjectsV2CommandOutput = await s3.send(command);
    folders.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix));
    if (NextContinuationToken === undefined) break;
    ContinuationToken = NextContinuationToken;
  }
  expect(folders).toEqual(names.map((name) => `folders/${name}/`).toSorted());
});

/** Changes what the embedded S3 answers to listings, as other servers may. */
function answering(change: (page: ListObjectsV2CommandOutput) => ListObjectsV2CommandOutput) {
  const name = 'changedListing';
  const { middlewareStack } = aws.target.s3;
  middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        if (commandName !== 'ListObjectsV2Command') return answer;
        return { ...answer, output: change(answer.output as ListObjectsV2CommandOutput) };
      },
    { step: 'initialize', name },
  );
  return { [Symbol.dispose]: () => void middlewareStack.remove(name) };
}

test('an S3 whose pages are sorted differently from its continuation is refused, because objects may be missing', async () => {
  using _ = answering((page) => ({
    ...page,
    Contents: page.Contents?.toSorted(({ Key: one = '' }, { Key: other = '' }) => one.localeCompare(other)) ?? [],
  }));
  await expect(listed(UPLOADS)).rejects.toThrow(
    /in the order of its keys, got .* after .*: this S3 leaves objects out/,
  );
});

test('a page with fewer objects than it says is refused', async () => {
  await put(['few/a', 'few/b']);
  using _ = answering((page) => ({ ...page, Contents: page.Contents?.slice(1) ?? [] }));
  await expect(listed('few/')).rejects.toThrow('expected 2 objects in a page');
});

// The last one: it removes what the others look at.
test('purge deletes all of 3,000 uploads, and nothing else', async () => {
  expect(await purgeJob(aws.target, 'cats')).toEqual({ files: NAMES });
  expect(await listed('jobs/')).toEqual(['jobs/dogs/images/a.jpg']);
});
