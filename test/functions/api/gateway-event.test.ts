import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { bodyOf } from '../../../functions/api/gateway-event.ts';

/** As API Gateway hands a body on that is text by its type: it has no bytes, only characters. */
function eventOf(sent: Buffer): APIGatewayProxyEventV2 {
  const headers = { 'content-type': 'application/json', 'content-length': String(sent.length) };
  return { headers, body: sent.toString('utf8'), isBase64Encoded: false } as unknown as APIGatewayProxyEventV2;
}

describe('the body of a request', () => {
  test.each(['{"a":1}', '"猫🐈"', '"a real \uFFFD"', ''])('%j is what was sent', (text) => {
    expect(bodyOf(eventOf(Buffer.from(text))).toString()).toBe(text);
  });

  test.each(['"caf\xe9"', '\xff\xfe{', '"\xc3"', '"a real \xef\xbf\xbd beside \xe9"'])(
    '%j in Latin-1 does not become UTF-8 on its way',
    (text) => {
      expect(isUtf8(bodyOf(eventOf(Buffer.from(text, 'latin1'))))).toBe(false);
    },
  );
});
