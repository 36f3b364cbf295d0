import { beforeAll, expect, test } from '@jest/globals';
import { describeJob, result, writeParts } from '../../testkit/job-outcomes.ts';
import { runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const IMAGES = ['a', 'b'];
/** Variables come before profiles, with a warning. */
const NO_KEY = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };

const { aws, folder } = await commandTests();
/** A name that is known on each machine and has no names below it. */
let named: string;
let config: string;

beforeAll(async () => {
  await describeJob(aws.target, IMAGES);
  await writeParts(
    aws.target,
    'results',
    IMAGES.map((id) => result(id)),
  );
  named = aws.environment.AWS_ENDPOINT_URL.replace('127.0.0.1', 'localhost');
  config = await folder.write(
    'config',
    `[default]\nendpoint_url = ${named}\n[profile by-service]\nservices = near\naws_access_key_id = ${aws.environment.AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${aws.environment.AWS_SECRET_ACCESS_KEY}\n[services near]\ns3 =\n  endpoint_url = ${named}\nsqs =\n  endpoint_url = ${named}\n`,
  );
});

test.each([
  ['AWS_ENDPOINT_URL', () => ({ AWS_ENDPOINT_URL: named })],
  ['AWS_ENDPOINT_URL_S3', () => ({ AWS_ENDPOINT_URL_S3: named, AWS_ENDPOINT_URL_SQS: named })],
  ['endpoint_url of the configuration file', () => ({ AWS_CONFIG_FILE: config })],
  [
    'a services section of the configuration file',
    () => ({ AWS_CONFIG_FILE: config, AWS_PROFILE: 'by-service', ...NO_KEY }),
  ],
])('S3 and SQS behind a name without names below it are reached by %s', async (_what, endpoint) => {
  const { AWS_ENDPOINT_URL: _, ...others } = aws.environment;
  const environment = { ...others, ...endpoint() };
  const { stdout, stderr, code } = await runCommand(['results', 'cats'], { environment });
  expect(stderr).not.toContain('labelqueue:');
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id)
      .toSorted(),
  ).toEqual(IMAGES);
  expect(code).toBe(0);
  const status = await runCommand(['status', 'cats', '--json'], { environment });
  expect(JSON.parse(status.stdout)).toMatchObject({ job: 'cats', classified: 2 });
});
