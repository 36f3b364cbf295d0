import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [state] = await sharedByTests(createTemporaryFolder());
const environment = { LABELQUEUE_STATE_DIR: state.path };

describe('while `labelqueue local` runs', () => {
  let local: RunningCommand;
  beforeAll(async () => {
    local = startCommand(['local', '--port', '0', '--api-port', '0', '--workers', '1'], { environment });
    await local.says(/RESULTS_BUCKET=/);
  }, 60_000);

  test('commands find its settings, and report them on standard error', async () => {
    const { code, stdout, stderr } = await runCommand(['status', '--json'], {
      environment: { ...environment, AWS_PAGER: 'less', AWS_EC2_METADATA_DISABLED: 'true' },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '[]\n' });
    expect(stderr).toMatch(/^using `labelqueue local` at http:\/\/127\.0\.0\.1:\d+ \(process \d+\)\n$/);
  });

  test.each([
    ['AWS_PROFILE', 'work'],
    ['AWS_REGION', 'eu-central-1'],
    ['QUEUE_URL', 'https://sqs.eu-central-1.amazonaws.com/1/other'],
  ])('but not when %s selects others', async (name, value) => {
    const { code, stderr } = await runCommand(['status'], { environment: { ...environment, [name]: value } });
    expect(stderr).toContain('RESULTS_BUCKET is not set');
    expect(stderr).not.toContain('using `labelqueue local`');
    expect(code).toBe(1);
  });

  test('a dry run does not need it, and does not mention it', async () => {
    const list = await state.write('urls.txt', 'https://example.com/a.jpg\n');
    const { code, stderr } = await runCommand(['enqueue', list, '--dry-run'], { environment });
    expect(stderr).not.toContain('using');
    expect(code).toBe(0);
  });

  test('its settings file is readable only by its user', async () => {
    expect((await stat(join(state.path, 'local/environment.json'))).mode & 0o777).toBe(0o600);
  });

  test('after its end, nothing is found', async () => {
    const left = await readFile(join(state.path, 'local/environment.json'), 'utf8');
    local.interrupt();
    expect(await local.ended).toMatchObject({ code: 0 });
    const { stderr } = await runCommand(['status'], { environment });
    expect(stderr).toContain('QUEUE_URL is not set');

    // As a killed one leaves it.
    await writeFile(join(state.path, 'local/environment.json'), left);
    expect((await runCommand(['status'], { environment })).stderr).toContain('QUEUE_URL is not set');
  });
});

test.each(['', '{"identity":1}', '{"identity":"process 1, started 1","environment":{"QUEUE_URL":"http://h/q"}}'])(
  'a damaged or foreign file is none: %s',
  async (content) => {
    await using other = await createTemporaryFolder();
    await mkdir(join(other.path, 'local'));
    await writeFile(join(other.path, 'local/environment.json'), content);
    const { stderr } = await runCommand(['status'], { environment: { LABELQUEUE_STATE_DIR: other.path } });
    expect(stderr).toContain('QUEUE_URL is not set');
  },
);
