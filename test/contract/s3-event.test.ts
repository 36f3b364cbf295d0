import { describe, expect, test } from '@jest/globals';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';

/** One record as S3 writes it, keys form-encoded. */
function record(key: string, eventName = 'ObjectCreated:Put', bucket = 'photos', eventSource = 'aws:s3'): object {
  return {
    eventVersion: '2.1',
    eventSource,
    awsRegion: 'us-east-1',
    eventName,
    s3: {
      s3SchemaVersion: '1.0',
      bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
      object: { key, size: 1024 },
    },
  };
}

function event(...records: object[]): string {
  return JSON.stringify({ Records: records });
}

describe('an S3 event', () => {
  test.each([
    ['a.jpg', 'a.jpg'],
    ['a+b.jpg', 'a b.jpg'],
    ['a%2Bb.jpg', 'a+b.jpg'],
    ['a%20b.jpg', 'a b.jpg'],
    ['in/a/folder.jpg', 'in/a/folder.jpg'],
    ['gr%C3%B6%C3%9Fe.jpg', 'größe.jpg'],
    ['%E7%8C%AB.jpg', '猫.jpg'],
    ['100%25.jpg', '100%.jpg'],
    ['what%3F%23.jpg', 'what?#.jpg'],
    ['100%.jpg', '100%.jpg'],
    ['%FF.jpg', '%FF.jpg'],
  ])('with the key %s names the object %s', (encoded, key) => {
    const url = `s3://photos/${key}`;
    expect(parseMessage(event(record(encoded)))).toEqual({ job: 'default', attempt: 1, images: [{ id: url, url }] });
  });

  test('names every object in it, each once', () => {
    const body = event(
      record('a.jpg'),
      record('b.jpg', 'ObjectCreated:CompleteMultipartUpload', 'more-photos'),
      record('a.jpg', 'ObjectCreated:Copy'),
    );
    expect(parseMessage(body)).toMatchObject({
      images: [{ url: 's3://photos/a.jpg' }, { url: 's3://more-photos/b.jpg' }],
    });
  });

  test.each([
    ['minio:s3', 's3:ObjectCreated:Put', 'in%2Fa%2Ffolder+b%2Bc.jpg', 'in/a/folder b+c.jpg'],
    ['minio:s3', 's3:ObjectCreated:CompleteMultipartUpload', 'a.jpg', 'a.jpg'],
    ['ceph:s3', 'ObjectCreated:Put', 'in/a/folder.jpg', 'in/a/folder.jpg'],
    ['ceph:s3', 's3:ObjectCreated:Put', '100% a+b%20.jpg', '100% a+b%20.jpg'],
    ['sgws:s3', 'ObjectCreated:Put', 'a+b.jpg', 'a b.jpg'],
  ])('of %s with %s and the key %s names the object %s', (eventSource, eventName, written, key) => {
    const url = `s3://photos/${key}`;
    const records = [record(written, eventName, 'photos', eventSource)];
    const body = JSON.stringify({ EventName: eventName, Key: `photos/${key}`, Records: records });
    expect(parseMessage(body)).toEqual({ job: 'default', attempt: 1, images: [{ id: url, url }] });
  });

  test.each([
    ['of a removal', event(record('a.jpg', 'ObjectRemoved:Delete')), /ObjectCreated:\*, got ObjectRemoved:Delete/],
    [
      'of one removal among others',
      event(record('a.jpg'), record('b.jpg', 'ObjectRemoved:Delete')),
      /got ObjectRemoved/,
    ],
    [
      'of a removal at MinIO',
      event(record('a.jpg', 's3:ObjectRemoved:Delete', 'photos', 'minio:s3')),
      /Records\[0\]\.eventName: expected S3 events ObjectCreated:\*, got s3:ObjectRemoved/,
    ],
    ['of more objects than a message may have', event(...Array(1_001).fill(record('a.jpg'))), /at Records/],
    ['without records', event(), /at Records/],
    ['of another service', event({ ...record('a.jpg'), eventSource: 'aws:sns' }), /at Records\[0\]\.eventSource/],
    ['without a key', event(record('')), /at Records\[0\]\.s3\.object\.key/],
    ['without a bucket', event(record('a.jpg', 'ObjectCreated:Put', '')), /at Records\[0\]\.s3\.bucket\.name/],
    ['with records that are no list', '{"Records":{}}', /at Records/],
    ['with a key that is too long for an id', event(record('k'.repeat(3_000))), /expected an id beside a URL/],
  ])('%s is unreadable', (_case, body, reason) => {
    const message = parseMessage(body);
    expect(message).toBeInstanceOf(MalformedMessage);
    expect((message as MalformedMessage).reason).toMatch(reason);
  });

  test('that only tests the notification names no image', () => {
    const body = JSON.stringify({
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-11-24T10:00:00.000Z',
      Bucket: 'photos',
      RequestId: '5582815E1AEA5ADF',
      HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR',
    });
    expect(parseMessage(body)).toEqual({ job: 'default', attempt: 1, images: [] });
  });
});

/** S3's own event on EventBridge, where keys are not encoded. */
function bridgeEvent(change: object = {}): string {
  return JSON.stringify({
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-11-24T10:00:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:s3:::photos'],
    detail: {
      version: '0',
      bucket: { name: 'photos' },
      object: { key: 'in/a+b 100%25.jpg', size: 1024, etag: 'b1946ac92492d2347c6235b4d2611184' },
      reason: 'PutObject',
    },
    ...change,
  });
}

describe('an event of S3 on EventBridge', () => {
  test('names its object', () => {
    const url = 's3://photos/in/a+b 100%25.jpg';
    expect(parseMessage(bridgeEvent())).toEqual({ job: 'default', attempt: 1, images: [{ id: url, url }] });
  });

  test.each([
    ['of a removal', { 'detail-type': 'Object Deleted' }, /expected "Object Created" → at \["detail-type"\]$/],
    ['without detail', { detail: undefined }, /at detail$/],
    ['without a bucket', { detail: { object: { key: 'a.jpg' } } }, /at detail\.bucket$/],
    ['without a key', { detail: { bucket: { name: 'photos' }, object: {} } }, /at detail\.object\.key$/],
  ])('%s is unreadable', (_case, change, reason) => {
    const message = parseMessage(bridgeEvent(change));
    expect(message).toBeInstanceOf(MalformedMessage);
    expect((message as MalformedMessage).reason).toMatch(reason);
  });
});
