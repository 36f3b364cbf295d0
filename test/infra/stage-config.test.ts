import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readStageConfig, StageConfigError, stageConfig } from '../../infra/stage-config.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

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

test('an API that is asked for without more has safe defaults', () => {
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

test('a stage without a file is named, with what to do', () => {
  expect(() => readStageConfig('nowhere', folder.path)).toThrow(/no infra\/stages\/nowhere\.json: copy .*dev\.json/);
});

test('a file that is no JSON is named', async () => {
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
