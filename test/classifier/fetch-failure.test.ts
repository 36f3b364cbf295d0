import { describe, expect, test } from '@jest/globals';
import { fetchFailure, statusFailure } from '../../shared/classifier/fetch/fetch-failure.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';

const NOW = new Date('2026-11-24T10:00:00Z');

describe('an error of the network, TLS or zlib becomes', () => {
  test.each<[foreign: string, code: ErrorCode]>([
    ['ENOTFOUND', 'name_not_resolved'],
    ['EAI_AGAIN', 'name_not_resolved'],
    ['ETIMEDOUT', 'timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['ECONNREFUSED', 'connection_failed'],
    ['ECONNRESET', 'connection_failed'],
    ['EHOSTUNREACH', 'connection_failed'],
    ['ENETUNREACH', 'connection_failed'],
    ['EPIPE', 'connection_failed'],
    ['CERT_HAS_EXPIRED', 'tls_invalid'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_invalid'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_invalid'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_invalid'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_invalid'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_invalid'],
    ['HPE_INVALID_CONSTANT', 'invalid_response'],
    ['UND_ERR_HEADERS_OVERFLOW', 'invalid_response'],
    ['Z_DATA_ERROR', 'invalid_response'],
    ['Z_BUF_ERROR', 'invalid_response'],
    ['ERR_BROTLI_DECODER_ERROR_FORMAT_CL_SPACE', 'invalid_response'],
  ])('%s: %s', (foreign, code) => {
    const failure = fetchFailure(Object.assign(new Error('text of no use'), { code: foreign }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(foreign);
  });
});

test('of several addresses that were tried, the error of the first one is reported', () => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const unreachable = Object.assign(new Error('unreachable'), { code: 'ENETUNREACH' });
  const failure = fetchFailure(new AggregateError([refused, unreachable]));
  expect(failure.report()).toMatchObject({
    code: 'connection_failed',
    message: expect.stringContaining('ECONNREFUSED in connect'),
  });
});

test.each([new TypeError('a defect'), 'a string', undefined, null, { code: 'ECONNRESET' }])(
  'what is no error of theirs is thrown on: %p',
  (defect) => {
    let thrown: unknown = 'nothing';
    try {
      fetchFailure(defect);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe(defect);
  },
);

describe('Retry-After', () => {
  test.each([
    ['120', 120],
    [' 7 ', 7],
    ['0', 0],
    ['Tue, 24 Nov 2026 10:02:00 GMT', 120],
    ['Tuesday, 24-Nov-26 10:02:00 GMT', 120],
    ['Tue Nov 24 10:02:00 2026 GMT', 120],
    ['Tue, 24 Nov 2026 09:00:00 GMT', 0],
  ])('%s is %d s', (value, seconds) => {
    expect(statusFailure(503, value, NOW).retryAfterSeconds).toBe(seconds);
  });

  test.each([undefined, '', 'soon', '-5', '1.5', '1e3', '12 s', '3000 ms'])(
    '%p is as if it were not there',
    (value) => {
      expect(statusFailure(429, value, NOW).retryAfterSeconds).toBeUndefined();
    },
  );
});
