import { expect, test } from '@jest/globals';
import { isCancelled, newestRun } from '../../shared/jobs/job-store.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand } from '../support/command.ts';
import { startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [network] = await sharedByTests(startInterceptedAws());

test('a job is cancelled even if its files cannot be listed', async () => {
  await using folder = await createTemporaryFolder();
  const { aws, intercepted } = network;
  const list = await folder.write('list.txt', 'https://host/a.jpg\n');
  await runCommand(['enqueue', list, '--job', 'cats'], { environment: aws.environment });
  const endpoint = (await intercepted.s3.config.endpoint?.()) ?? { protocol: '', hostname: '', port: 0 };
  const AWS_ENDPOINT_URL = `${endpoint.protocol}//${endpoint.hostname}:${endpoint.port}`;
  network.intercept(async (call, pass, cut) => (call === 'LIST' ? cut() : pass()));
  const environment = { ...aws.environment, AWS_ENDPOINT_URL, AWS_MAX_ATTEMPTS: '1' };
  const { code, stdout } = await runCommand(['cancel', 'cats'], { environment });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'job cats: cancelled\n' });
  expect(await isCancelled(aws.target, await newestRun(aws.target, 'cats'))).toBe(true);
});
