import { describe, expect, test } from '@jest/globals';
import * as limits from '../../shared/contract/limits.ts';

describe('limits that depend on each other fit:', () => {
  test('the visibility timeout is at least six times the function timeout, as AWS recommends', () => {
    expect(limits.VISIBILITY_TIMEOUT_SECONDS).toBeGreaterThanOrEqual(6 * limits.FUNCTION_TIMEOUT_SECONDS);
  });

  test('an image that is slow at every stage is done within one invocation', () => {
    const slowest = limits.FETCH_TIMEOUT_MS + limits.DECODE_TIMEOUT_SECONDS * 1_000 + limits.DEADLINE_RESERVE_MS;
    expect(slowest).toBeLessThan(limits.FUNCTION_TIMEOUT_SECONDS * 1_000);
  });

  test('at the deadline, waiting for the last images leaves time to write', () => {
    expect(limits.ABANDON_AFTER_MS).toBeLessThan(limits.DEADLINE_RESERVE_MS);
  });

  test('a chain of messages has room for each attempt and for splits, and ends before Lambda stops it as a loop', () => {
    expect(limits.MAX_HOPS).toBeGreaterThan(limits.MAX_ATTEMPTS + 2);
    // About 16 invocations; a message may have come from a function.
    expect(limits.MAX_HOPS + 1).toBeLessThanOrEqual(12);
  });

  test('hosts without an answer leave room for those that answer', () => {
    const most = Math.max(limits.SUSPECT_FETCHES, limits.MIN_UNPROVEN_FETCHES);
    expect(most + limits.MAX_FETCHES_PER_HOST).toBeLessThan(limits.IMAGES_IN_FLIGHT);
    expect(limits.SILENT_FETCHES_BEFORE_REST).toBeLessThan(limits.MAX_FETCHES_PER_HOST);
  });

  test('a host rests at most as long as SQS can delay its images', () => {
    const restSeconds = (limits.REST_IN_FETCH_TIMEOUTS * limits.FETCH_TIMEOUT_MS) / 1_000;
    expect(restSeconds).toBeLessThanOrEqual(limits.MAX_DELAY_SECONDS);
  });

  test('the longest delay between attempts is one that SQS accepts', () => {
    const longest = limits.RETRY_BASE_SECONDS * 2 ** (limits.MAX_ATTEMPTS - 2);
    expect(longest).toBeLessThanOrEqual(limits.MAX_DELAY_SECONDS);
  });

  test('a message of the default number of images has room for them, however long their URLs', () => {
    expect(limits.DEFAULT_IMAGES_PER_MESSAGE * limits.MAX_URL_CHARS).toBeLessThan(limits.MAX_MESSAGE_BYTES);
    expect(limits.DEFAULT_IMAGES_PER_MESSAGE).toBeLessThanOrEqual(limits.MAX_IMAGES_PER_MESSAGE);
  });

  test('an image in the body of a request fits an invocation, encoded as base64 by API Gateway', () => {
    // What is left has to do for the rest of the event.
    expect((limits.MAX_UPLOAD_BYTES / 3) * 4).toBeLessThan(limits.MAX_PAYLOAD_BYTES - 100_000);
    expect(limits.MAX_UPLOAD_BYTES).toBeLessThan(limits.MAX_IMAGE_BYTES);
  });

  test('an image that is slow at every stage is answered before the timeout of API Gateway', () => {
    const slowest = limits.FETCH_TIMEOUT_MS + limits.DECODE_TIMEOUT_SECONDS * 1_000 + limits.API_DEADLINE_RESERVE_MS;
    expect(slowest).toBeLessThan(limits.API_TIMEOUT_SECONDS * 1_000);
    expect(limits.API_TIMEOUT_SECONDS).toBeLessThan(30);
  });

  test('images in flight fill more than one inference batch', () => {
    expect(limits.IMAGES_IN_FLIGHT).toBeGreaterThanOrEqual(2 * limits.INFERENCE_BATCH_SIZE);
  });
});
