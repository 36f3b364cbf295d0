import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { type PartKind, partKey } from '../../shared/contract/object-keys.ts';
import { type FailureLine, failureLine, type ResultLine, resultLine } from '../../shared/contract/result-line.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

const FACTS = { width: 1, height: 1, format: 'png', bytes: 90, sha256: 'ab'.repeat(32) };
const MODEL = { name: 'net', version: '1' };

/** @param minute of the hour in which the line was made */
function originOf(id: string, minute: number, job: string) {
  const at = new Date(Date.UTC(2026, 10, 24, 10, minute));
  return { job, image: { id, url: `https://host.example/${id}.jpg` }, attempt: 1, at };
}

function result(id: string, label = 'cat', minute = 0, job = 'cats'): ResultLine {
  return resultLine(originOf(id, minute, job), [{ label, score: 1, classId: 0 }], MODEL, FACTS);
}

function failure(id: string, code: 'timeout' | 'not_found' = 'timeout', minute = 0, job = 'cats'): FailureLine {
  return failureLine(originOf(id, minute, job), new ImageFailure(code, 'expected this').report());
}

async function putObject(Key: string, Body: string): Promise<void> {
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body }));
}

async function putPart(kind: PartKind, lines: (ResultLine | FailureLine)[], job = 'cats'): Promise<void> {
  await putObject(partKey(kind, { job }, lines), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
}

describe('the outcomes of a job', () => {
  test('are its results and its failures, by id', async () => {
    await putPart('results', [result('a'), result('b')]);
    await putPart('results', [result('c')]);
    await putPart('failures', [failure('d')]);
    const { results, failures } = await readOutcomes(aws.target, 'cats');
    expect([...results.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect(results.get('a')).toEqual(result('a'));
    expect([...failures.values()]).toEqual([failure('d')]);
  });

  test('have the result and not the failure of the same image, whichever was last', async () => {
    await putPart('results', [result('a', 'cat', 5), result('b', 'cat', 1)]);
    await putPart('failures', [failure('a', 'timeout', 1), failure('b', 'timeout', 5), failure('c')]);
    const { results, failures } = await readOutcomes(aws.target, 'cats');
    expect([...results.keys()].sort()).toEqual(['a', 'b']);
    expect([...failures.keys()]).toEqual(['c']);
  });

  test('have the latest of several lines of an image, in whatever order they are read', async () => {
    await putPart('results', [result('a', 'old', 1), result('b', 'new', 5)]);
    await putPart('results', [result('a', 'new', 5), result('b', 'old', 1), result('x')]);
    await putPart('failures', [failure('c', 'timeout', 1), failure('d', 'not_found', 5)]);
    await putPart('failures', [failure('c', 'not_found', 5), failure('d', 'timeout', 1), failure('y')]);
    const { results, failures } = await readOutcomes(aws.target, 'cats');
    expect(['a', 'b'].map((id) => results.get(id)?.labels[0]?.label)).toEqual(['new', 'new']);
    expect(['c', 'd'].map((id) => failures.get(id)?.error.code)).toEqual(['not_found', 'not_found']);
  });

  test('contain no line of another job, and no other file', async () => {
    await putPart('results', [result('a')]);
    await putPart('results', [result('b', 'cat', 0, 'cats-2')], 'cats-2');
    await putObject('results/job=cats/notes.txt', 'not a line');
    expect([...(await readOutcomes(aws.target, 'cats')).results.keys()]).toEqual(['a']);
  });

  test('keep ids and meta as they were given', async () => {
    const id = '__proto__ \u2028 "猫"\n';
    await putPart('results', [{ ...result(id), meta: { note: 'a\r\nb\u2029c' } }]);
    expect((await readOutcomes(aws.target, 'cats')).results.get(id)?.meta).toEqual({ note: 'a\r\nb\u2029c' });
  });

  test('are empty when there is nothing', async () => {
    expect(await readOutcomes(aws.target, 'cats')).toEqual({ results: new Map(), failures: new Map() });
  });
});

describe('the number of lines', () => {
  test('is read from the names of the parts, duplicates included', async () => {
    await putPart('results', [result('a'), result('b'), result('c')]);
    await putPart('results', [result('a')]);
    await putPart('failures', [failure('d')]);
    await putPart('results', [result('x', 'cat', 0, 'cats-2')], 'cats-2');
    await putObject('results/job=cats/notes.txt', 'not a line');
    expect(totalLines(await listParts(aws.target, 'results', { job: 'cats' }))).toBe(4);
    expect(totalLines(await listParts(aws.target, 'failures', { job: 'cats' }))).toBe(1);
    expect(totalLines(await listParts(aws.target, 'results', { job: 'dogs' }))).toBe(0);
  });

  test('includes all pages of a listing', async () => {
    const ids = Array.from({ length: 1_100 }, (_, index) => `row-${index}`);
    for (let from = 0; from < ids.length; from += 50) {
      await Promise.all(ids.slice(from, from + 50).map((id) => putPart('results', [result(id)])));
    }
    expect(totalLines(await listParts(aws.target, 'results', { job: 'cats' }))).toBe(1_100);
  });
});
