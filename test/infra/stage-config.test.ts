import { expect, test } from '@jest/globals';
import { readStageConfig, StageConfigError, stageConfig } from '../../infra/stage-config.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [folder] = await sharedByTests(createTemporaryFolder());

const VPC = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
const JWT = { issuer: 'https://issuer.example', audience: ['labelqueue'] };

test('an empty file is a stage with safe defaults', () => {
  expect(stageConfig('dev', {})).toEqual({
    stage: 'dev',
    architecture: 'x86_64',
    batchSize: 10,
    batchWindowSeconds: 0,
    memoryMb: 1_769,
    sourceBuckets: [],
    logRetentionDays: 30,
    oldestMessageAlarmMinutes: 60,
    failureShareAlarm: 0.25,
    athena: true,
  });
});

test('an API without options has safe defaults', () => {
  expect(stageConfig('dev', { api: {} }).api).toEqual({ memoryMb: 1_769, requestsPerSecond: 10, burst: 20 });
});

test.each([
  [{ maximumConcurrency: 1 }, 'maximumConcurrency'],
  [{ maximumConcurrency: 1_001 }, 'maximumConcurrency'],
  [{ maximumConcurrency: 10, provisionedPollers: { minimum: 2, maximum: 4 } }, 'provisionedPollers'],
  [{ provisionedPollers: { minimum: 5, maximum: 4 } }, 'provisionedPollers.minimum'],
  [{ batchSize: 11 }, 'batchWindowSeconds'],
  [{ batchSize: '10' }, 'batchSize'],
  [{ architecture: 'aarch64' }, 'architecture'],
  [{ memoryMb: 512 }, 'memoryMb'],
  [{ sourceBuckets: ['s3://photos'] }, 'sourceBuckets.0'],
  [{ sourceBuckets: ['photos/*'] }, 'sourceBuckets.0'],
  [{ model: { s3Uri: 's3://models/ours', sha256: 'a'.repeat(64) } }, 'model.s3Uri'],
  [{ model: { s3Uri: 's3://models/*/', sha256: 'a'.repeat(64) } }, 'model.s3Uri'],
  [{ model: { s3Uri: 's3://models/ours/' } }, 'model.sha256'],
  [{ logRetentionDays: 31 }, 'logRetentionDays'],
  [{ alarmEmail: 'someone' }, 'alarmEmail'],
  [{ failureShareAlarm: 25 }, 'failureShareAlarm'],
  [{ fetchUserAgent: 'a\r\nX-Injected: b' }, 'fetchUserAgent'],
  [{ chatbot: true }, 'chatbot'],
  [{ chatbot: { memoryMb: 512 } }, 'chatbot.memoryMb'],
  [{ chatbot: { idleSessionMinutes: 0 } }, 'chatbot.idleSessionMinutes'],
  [{ api: true }, 'api'],
  [{ api: { open: true } }, 'api'],
  [{ api: { memoryMb: 512 } }, 'api.memoryMb'],
  [{ api: { requestsPerSecond: 0 } }, 'api.requestsPerSecond'],
  [{ api: { jwt: { issuer: 'http://issuer.example', audience: ['a'] } } }, 'api.jwt.issuer'],
  [{ api: { jwt: { issuer: 'https://issuer.example', audience: [] } } }, 'api.jwt.audience'],
  [{ sourceBuckets: Array.from({ length: 51 }, (_, index) => `b${index}`) }, 'sourceBuckets'],
  [{ sourceBuckets: Array.from({ length: 30 }, () => 'b'.repeat(60)) }, 'sourceBuckets'],
  [{ model: { s3Uri: `s3://models/${'m'.repeat(300)}/`, sha256: 'a'.repeat(64) } }, 'model.s3Uri'],
  [{ vpc: { subnetIds: [], securityGroupIds: ['sg-0123456789abcdef0'] } }, 'vpc.subnetIds'],
  [{ vpc: { subnetIds: ['subnet-0123456789abcdef0'] } }, 'vpc.securityGroupIds'],
  [{ vpc: { subnetIds: ['main'], securityGroupIds: ['sg-0123456789abcdef0'] } }, 'vpc.subnetIds.0'],
  [{ allowedHosts: ['images.internal:80'] }, 'allowedHosts'],
  [{ vpc: VPC, allowedHosts: ['images.internal'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['http://images.internal:80'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['127.0.0.1:9001'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['localhost:9001'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['169.254.169.254:80'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['[::1]:80'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['[::ffff:127.0.0.1]:80'] }, 'allowedHosts.0'],
  [{ vpc: VPC, allowedHosts: ['2130706433:80'] }, 'allowedHosts.0'],
  [{ kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:alias/ours' }, 'kmsKeyArn'],
  [{ sourceKmsKeyArns: ['*'] }, 'sourceKmsKeyArns.0'],
  [{ tags: { 'aws:cost': 'a' } }, 'tags'],
  [{ tags: { stage: 'prod' } }, 'tags'],
  [{ tags: { owner: 'a\nb' } }, 'tags.owner'],
  [{ tags: Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`t${index}`, 'a'])) }, 'tags'],
  [{ permissionsBoundary: 'boundary' }, 'permissionsBoundary'],
  [{ tracing: true }, 'tracing'],
  [{ allowProducers: ['*'] }, 'allowProducers.0'],
  [{ allowProducers: ['arn:aws:iam::111122223333:role/*'] }, 'allowProducers.0'],
  [{ api: { cors: { allowOrigins: ['https://app.example'] } } }, 'api.cors'],
  [{ api: { jwt: JWT, cors: { allowOrigins: ['https://app.example/'] } } }, 'api.cors.allowOrigins.0'],
  [{ maxConcurrency: 10 }, 'maxConcurrency'],
  [[], 'the file'],
])('%j is refused, and %s named', (given, field) => {
  expect(() => stageConfig('dev', given)).toThrow(StageConfigError);
  expect(() => stageConfig('dev', given)).toThrow(field);
  expect(() => stageConfig('dev', given)).toThrow('dev.json');
});

test('the stage that comes with the project is a valid one', () => {
  expect(readStageConfig('dev')).toMatchObject({ stage: 'dev', maximumConcurrency: 8 });
});

test('a missing stage file is named, with what to do', () => {
  expect(() => readStageConfig('nowhere', folder.path)).toThrow(/no infra\/stages\/nowhere\.json: copy .*dev\.json/);
});

test('a file that is not JSON is named', async () => {
  await folder.write('broken.json', '{ "batchSize": 1, }');
  expect(() => readStageConfig('broken', folder.path)).toThrow(/expected JSON in infra\/stages\/broken\.json/);
});

test.each(['', 'Prod', '../dev', 'a'.repeat(21), '1st'])('%j is no name of a stage', (name) => {
  expect(() => readStageConfig(name, folder.path)).toThrow('expected a stage of at most 20');
});

test('a byte order mark at the start of a file is not part of it, and UTF-16 is read', async () => {
  await folder.write('marked.json', '\uFEFF{ "topK": 3 }');
  expect(readStageConfig('marked', folder.path)).toMatchObject({ topK: 3 });
  await folder.write('wide.json', Buffer.from('\uFEFF{ "topK": 4 }', 'utf16le'));
  expect(readStageConfig('wide', folder.path)).toMatchObject({ topK: 4 });
});

test('a file in another encoding is named', async () => {
  await folder.write('latin.json', Buffer.from('{ "alarmEmail": "ü@example.com" }', 'latin1'));
  expect(() => readStageConfig('latin', folder.path)).toThrow(/infra\/stages\/latin\.json: expected text in UTF-8/);
});
