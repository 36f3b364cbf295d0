import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { DUCKDB_WITH_S3, pythonPackages } from '../support/python-packages.ts';
import { QUERIES } from './sample-queries.ts';

/** What `samples/queries.sql` tells a user to do, with the endpoint that `labelqueue local` prints. */
const PROGRAM = `
import glob, json, os, sys
import duckdb
given = json.load(sys.stdin)
connection = duckdb.connect()
[extension] = glob.glob(os.path.join(given["packages"], "duckdb_ext/extensions/*/*/httpfs.duckdb_extension"))
connection.execute(f"LOAD '{extension}'")
connection.execute(given["secret"])
answers = {}
for query in given["queries"]:
    rows = connection.execute(query["sql"]).fetchall()
    answers[query["name"]] = [[str(value) for value in row] for row in rows]
print(json.dumps(answers))
`;

test('DuckDB reads results from the embedded S3, with the printed endpoint', async () => {
  const packages = await pythonPackages(DUCKDB_WITH_S3);
  await using aws = await startTestAws();
  await writeParts(aws.target, 'results', [result('a', { cat: 0.9 }), result('größe 猫', { dog: 0.4 })]);
  await writeParts(aws.target, 'results', [result('a', { cat: 0.8 }, { second: 5 })]);
  await writeParts(aws.target, 'failures', [failure('c', 'gone')]);
  await describeJob(aws.target, ['a', 'größe 猫', 'c']);
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, RESULTS_BUCKET } = aws.environment;
  const secret = `CREATE SECRET (TYPE s3, KEY_ID '${AWS_ACCESS_KEY_ID}', SECRET '${AWS_SECRET_ACCESS_KEY}',
    REGION '${AWS_REGION}', ENDPOINT '${new URL(AWS_ENDPOINT_URL).host}', USE_SSL false, URL_STYLE 'path')`;
  const queries = QUERIES.filter(({ dialect }) => dialect !== 'athena').map(({ name, sql }) => ({
    name,
    sql: sql.replaceAll('BUCKET', RESULTS_BUCKET).replaceAll("'my-job'", "'cats'"),
  }));
  const running = promisify(execFile)('python3', ['-c', PROGRAM], { env: { ...process.env, PYTHONPATH: packages } });
  running.child.stdin?.end(JSON.stringify({ packages, secret, queries }));
  const answers = JSON.parse((await running).stdout) as Record<string, string[][]>;
  expect(answers['images-per-label']?.map(([label, images]) => [label, images])).toEqual(
    expect.arrayContaining([
      ['cat', '1'],
      ['dog', '1'],
    ]),
  );
  expect(Object.keys(answers)).toEqual(queries.map(({ name }) => name));
}, 300_000);
