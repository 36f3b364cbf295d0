import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { API_OPERATIONS } from '../../../shared/contract/api-operations.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { type LocalApi, startLocalApi } from '../../support/local-api.ts';
import { pythonPackages, SCHEMATHESIS } from '../../support/python-packages.ts';

const SUPPORT = join(import.meta.dirname, '../../support/schemathesis');
const PHOTOS = join(import.meta.dirname, '../../../samples/photos');
/** Requests that schemathesis makes up for each operation, beside those for each limit of each schema. */
const EXAMPLES = 40;
/** Python packages are fetched at the first run. */
const TIMEOUT_MS = 300_000;

let images: ImageServer;
let api: LocalApi;
let folder: TemporaryFolder;

beforeAll(async () => {
  [images, folder] = await Promise.all([startImageServer(), createTemporaryFolder()]);
  api = await startLocalApi({ ALLOWED_HOSTS: images.host });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await images.close();
  await folder[Symbol.asyncDispose]();
});

/** What of the images' server each made-up address is replaced by: all that an answer can be about. */
const PATHS = ['/photos/coffee.jpg', '/photos/chelsea.avif', '/status/404', '/status/429?retry-after=3', '/status/500'];

type Scenario = { label: string; interactions: Record<string, { response: { status_code: number } | null }> };

/** How often each operation was asked, by the status of the answer. */
async function statuses(report: string): Promise<Map<string, Map<number, number>>> {
  const counts = new Map<string, Map<number, number>>();
  for (const line of (await readFile(report, 'utf8')).trimEnd().split('\n')) {
    const recorder = (JSON.parse(line) as { ScenarioFinished?: { recorder: Scenario } }).ScenarioFinished?.recorder;
    for (const { response } of Object.values(recorder?.interactions ?? {})) {
      const ofOperation = counts.get(recorder?.label ?? '') ?? new Map<number, number>();
      counts.set(recorder?.label ?? '', ofOperation);
      const status = response?.status_code ?? 0;
      ofOperation.set(status, (ofOperation.get(status) ?? 0) + 1);
    }
  }
  return counts;
}

test(
  'schemathesis tests each operation with valid and invalid requests, and finds nothing',
  async () => {
    const packages = await pythonPackages(SCHEMATHESIS);
    const report = join(folder.path, 'report.ndjson');
    const run = await promisify(execFile)(
      'python3',
      [
        ...['-c', 'from schemathesis.cli import schemathesis; schemathesis()'],
        ...['--config-file', join(SUPPORT, 'schemathesis.toml')],
        ...['run', `${api.address}/openapi.json`, '--max-examples', String(EXAMPLES)],
        ...['--report', 'ndjson', '--report-ndjson-path', report],
      ],
      {
        cwd: folder.path,
        env: {
          ...process.env,
          PYTHONPATH: `${packages}:${SUPPORT}`,
          PYTHONDONTWRITEBYTECODE: '1',
          PHOTOS,
          IMAGE_URLS: JSON.stringify(PATHS.map(images.url)),
        },
        maxBuffer: 100e6,
      },
    ).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
    );
    expect({ ...run, stdout: run.stdout.slice(-5_000) }).toEqual({
      code: 0,
      stdout: expect.stringContaining('No issues found'),
    });

    const found = await statuses(report);
    // It takes no interest in the document that it has read.
    const operations = Object.values(API_OPERATIONS).filter(({ path }) => path !== '/openapi.json');
    expect([...found.keys()].toSorted()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).toSorted());
    for (const [label, counts] of found) {
      const good = counts.get(label === 'POST /jobs' ? 202 : 200) ?? 0;
      expect({ label, succeeded: good > 0 }).toEqual({ label, succeeded: true });
    }
    expect([...(found.get('GET /classify')?.keys() ?? [])]).toEqual(expect.arrayContaining([200, 400, 404, 429, 502]));
    expect([...(found.get('POST /classify')?.keys() ?? [])]).toEqual(expect.arrayContaining([200, 400, 415, 422]));
    expect([...(found.get('POST /jobs')?.keys() ?? [])]).toEqual(expect.arrayContaining([202, 400, 409]));
  },
  TIMEOUT_MS,
);
