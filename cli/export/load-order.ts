import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { JobRun } from '../../shared/contract/job-run.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { escapeLoneSurrogates } from '../../shared/jobs/lone-surrogates.ts';
import { orderKeys } from '../../shared/jobs/source-order.ts';
import type { OutcomeDatabase } from './outcome-database.ts';
import { literal } from './sql.ts';

/**
 * Makes the table `source_order` (id_hash, n). By hashes alone: should two ids have the same, of which
 * ten million have a chance of 3e-6, one image is out of order.
 *
 * @returns false when the producer wrote no order down
 */
export async function loadOrder(
  target: JobTarget,
  of: JobRun,
  database: OutcomeDatabase,
  folder: string,
): Promise<boolean> {
  await database.run('CREATE TABLE order_lines (id_hash UBIGINT, n BIGINT)');
  const keys = await orderKeys(target, of);
  for (const key of keys) {
    const { Body } = await target.s3.send(new GetObjectCommand({ Bucket: target.resultsBucket, Key: key }));
    const file = join(folder, 'order.jsonl');
    await writeFile(file, escapeLoneSurrogates(gunzipSync((await Body?.transformToByteArray()) ?? '')), {
      mode: 0o600,
    });
    await database.run(`
      INSERT INTO order_lines SELECT hash(id), n
      FROM read_json(${literal(file)}, format = 'newline_delimited', columns = {id: 'VARCHAR', n: 'BIGINT'})`);
    await rm(file);
  }
  await database.run('CREATE TABLE source_order AS SELECT id_hash, min(n) AS n FROM order_lines GROUP BY id_hash');
  return keys.length > 0;
}
