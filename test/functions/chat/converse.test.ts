import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LexV2Result } from 'aws-lambda';
import { type ChatDependencies, converse, LABELS_IN_A_REPLY } from '../../../functions/chat/converse.ts';
import { FAILURE_REASONS } from '../../../functions/chat/failure-reason.ts';
import { phrasesFor } from '../../../functions/chat/phrases.ts';
import type { TurnReport } from '../../../functions/chat/telemetry.ts';
import type { Pipeline } from '../../../shared/classifier/classify-images.ts';
import { createImageClassifier } from '../../../shared/classifier/image-classifier.ts';
import { createPipeline } from '../../../shared/classifier/pipeline.ts';
import { ERROR_CODES, type ErrorCode } from '../../../shared/contract/error-codes.ts';
import { classifierSettingsFrom } from '../../../shared/settings.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { lexEvent, type Turn } from './lex-events.ts';

let images: ImageServer;
let pipeline: Pipeline;
let dependencies: ChatDependencies;
let reports: TurnReport[];

beforeAll(async () => {
  images = await startImageServer();
  const settings = classifierSettingsFrom({ ALLOWED_HOSTS: images.host });
  pipeline = await createPipeline(settings, new S3Client({}));
  const telemetry = { turn: (report: TurnReport) => reports.push(report), batch: () => {} };
  dependencies = {
    classifier: createImageClassifier(pipeline.classifier, LABELS_IN_A_REPLY, () => {}),
    fetch: pipeline.fetch,
    telemetry,
  };
});
afterAll(async () => {
  await pipeline.close();
  await images.close();
});

async function say(turn: Turn, signal = new AbortController().signal): Promise<LexV2Result> {
  reports = [];
  return converse(lexEvent(turn), dependencies, signal);
}

/** What the bot says, and whether the conversation failed. */
async function answerTo(path: string, localeId = 'en_US'): Promise<{ text: string; state: string | undefined }> {
  const { sessionState, messages = [] } = await say({
    said: images.url(path),
    source: 'FulfillmentCodeHook',
    localeId,
  });
  const [message] = messages;
  expect(messages).toEqual([{ contentType: 'PlainText', content: expect.any(String) }]);
  const text = message?.contentType === 'PlainText' ? message.content : '';
  return { text, state: sessionState.intent?.state };
}

const COFFEE = '/photos/coffee.jpg';

describe('during the dialog', () => {
  test('a question with a URL fills the slot, and Lex continues', async () => {
    const url = 'https://example.com/a.jpg';
    const result = await say({ said: `what is in this picture ${url}?` });
    expect(result.sessionState).toEqual({
      sessionAttributes: { theirs: 'kept' },
      dialogAction: { type: 'Delegate' },
      intent: expect.objectContaining({
        name: 'DescribeImage',
        state: 'InProgress',
        slots: {
          ImageUrl: {
            shape: 'Scalar',
            value: { originalValue: url, interpretedValue: url, resolvedValues: [url] },
          },
        },
      }),
    });
    expect(result.messages).toBeUndefined();
    expect(reports).toEqual([{ localeId: 'en_US', outcome: 'delegated', stages: {} }]);
  });

  test.each([
    ['en_US', 'Which picture? Please send me its web address.'],
    ['ja_JP', 'どの写真ですか。写真のURLを送ってください。'],
    ['de_DE', 'Which picture? Please send me its web address.'],
  ])('a question without one is answered with a question (%s)', async (localeId, content) => {
    const { sessionState, messages } = await say({ said: 'what is in this picture', localeId });
    expect(sessionState.dialogAction).toEqual({ type: 'ElicitSlot', slotToElicit: 'ImageUrl' });
    expect(sessionState.intent).toEqual({ name: 'DescribeImage', state: 'InProgress', slots: { ImageUrl: null } });
    expect(messages).toEqual([{ contentType: 'PlainText', content }]);
  });

  test.each([
    ['en_US', 'my cat', /not the web address of a picture/],
    ['ja_JP', 'うちの猫', /写真のURLではないようです/],
  ])('an answer that is not a URL is requested again (%s)', async (localeId, said, text) => {
    const { sessionState, messages } = await say({ said, slot: said, localeId });
    expect(sessionState.dialogAction).toEqual({ type: 'ElicitSlot', slotToElicit: 'ImageUrl' });
    expect(sessionState.intent?.slots).toEqual({ ImageUrl: null });
    expect(messages).toEqual([{ contentType: 'PlainText', content: expect.stringMatching(text) }]);
  });
});

describe('at fulfilment', () => {
  test('the reply names the label and its score', async () => {
    const { text, state } = await answerTo(COFFEE);
    expect(text).toMatch(/^This looks like espresso \(9\d% sure\)\.$/);
    expect(state).toBe('Fulfilled');
    expect(reports).toEqual([
      {
        localeId: 'en_US',
        outcome: 'labeled',
        stages: { fetch: expect.any(Number), decode: expect.any(Number), infer: expect.any(Number) },
      },
    ]);
  });

  test('in Japanese', async () => {
    const { text, state } = await answerTo(COFFEE, 'ja_JP');
    expect(text).toMatch(/^「espresso」のようです（確信度9\d%）。$/);
    expect(state).toBe('Fulfilled');
  });

  test('other labels are named when their scores are high enough', async () => {
    const { text } = await answerTo('/photos/chelsea.jpg');
    expect(text).toMatch(
      /^This looks like [\w ]+ \(\d\d% sure\)\. It could also be [\w ]+ \(\d+%\) or [\w ]+ \(\d+%\)\.$/,
    );
  });

  test('the URL is taken from the slot when the last utterance has none', async () => {
    const url = images.url(COFFEE);
    const { sessionState } = await say({ said: 'yes', slot: url, source: 'FulfillmentCodeHook' });
    expect(sessionState.intent?.state).toBe('Fulfilled');
    expect(sessionState.dialogAction).toEqual({ type: 'Close' });
  });

  test.each([
    ['/missing', 'not_found', 'There is no picture at that address.'],
    ['/status/403', 'forbidden', 'The website does not let me see that picture.'],
    ['/status/503', 'server_error', 'The website is too busy to send the picture. Please try again later.'],
    ['/photos/not-an-image.jpg', 'not_an_image', /^What I found at that address is not a picture/],
    ['/photos/truncated.jpg', 'corrupt', 'That picture is damaged or incomplete.'],
  ])('%s is explained in plain words', async (path, code, words) => {
    const { text, state } = await answerTo(path);
    expect(text).toEqual(typeof words === 'string' ? words : expect.stringMatching(words));
    expect(state).toBe('Failed');
    expect(reports).toEqual([expect.objectContaining({ outcome: 'failed', code })]);
  });

  test('an address within the network is refused', async () => {
    const { messages } = await say({ said: 'http://169.254.169.254/latest', source: 'FulfillmentCodeHook' });
    expect(messages).toEqual([{ contentType: 'PlainText', content: expect.stringMatching(/^I am not allowed/) }]);
    expect(reports).toEqual([expect.objectContaining({ code: 'address_not_allowed' })]);
  });

  test('a timeout is reported', async () => {
    const { messages, sessionState } = await say(
      { said: images.url(COFFEE), source: 'FulfillmentCodeHook' },
      AbortSignal.abort(),
    );
    expect(messages).toEqual([{ contentType: 'PlainText', content: expect.stringMatching(/took too long/) }]);
    expect(sessionState.intent?.state).toBe('Failed');
  });
});

describe('text that matches no utterance', () => {
  const fallback = { intent: 'FallbackIntent', source: 'FulfillmentCodeHook' } as const;

  test('counts as the question when it has a URL', async () => {
    const { sessionState, messages } = await say({ ...fallback, said: images.url(COFFEE) });
    expect(sessionState.intent).toMatchObject({ name: 'FallbackIntent', state: 'Fulfilled', slots: {} });
    expect(messages).toEqual([{ contentType: 'PlainText', content: expect.stringMatching(/espresso/) }]);
  });

  test('is answered with a request for a URL otherwise', async () => {
    const { sessionState } = await say({ ...fallback, said: 'hello' });
    expect(sessionState.dialogAction).toEqual({ type: 'ElicitSlot', slotToElicit: 'ImageUrl' });
    expect(sessionState.intent?.name).toBe('DescribeImage');
  });
});

describe('the phrases', () => {
  const one = { label: 'tabby, tabby cat', score: 0.21, classId: 281 };

  test('call a label of low score a guess, and use its common name', () => {
    expect(phrasesFor('en_GB').guesses(one, [])).toBe('I am not sure. My best guess is tabby (21%).');
    expect(phrasesFor('ja_JP').guesses(one, [one])).toBe(
      'はっきりしませんが、いちばん近いのは「tabby」です（21%）。ほかの候補は「tabby」（21%）です。',
    );
  });

  test.each(['en_US', 'ja_JP'])('explain every error code in %s without its jargon', (localeId) => {
    const { failures } = phrasesFor(localeId);
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(failures[FAILURE_REASONS[code]]).toMatch(/[.。?]$/);
      expect(failures[FAILURE_REASONS[code]]).not.toMatch(/_|\d{3}|labelqueue|Lambda|TensorFlow/);
    }
  });
});

test('the log contains nothing of what was said', async () => {
  await say({ said: `${images.url(COFFEE)}?token=secret`, source: 'FulfillmentCodeHook' });
  expect(JSON.stringify(reports)).not.toMatch(/secret|127\.0\.0\.1|photos/);
});
