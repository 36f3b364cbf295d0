/** The events in which S3 and compatible services name new objects. */
import { z } from 'zod';
import type { ExternalImage } from './external-message.ts';
import { MAX_IMAGES_PER_MESSAGE } from './limits.ts';
import { MalformedMessage, malformed } from './malformed-message.ts';

const bucketAndObject = {
  bucket: z.object({ name: z.string().min(1) }),
  object: z.object({ key: z.string().min(1) }),
};

const notificationSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.string().regex(/^[a-z]+:s3$/, 'expected aws:s3, minio:s3, ceph:s3 or another that ends in :s3'),
        eventName: z.string(),
        s3: z.object(bucketAndObject),
      }),
    )
    .min(1)
    .max(MAX_IMAGES_PER_MESSAGE),
});
type S3Record = z.infer<typeof notificationSchema>['Records'][number];

/** S3 sends this once, when a bucket's notifications are configured; it names no object. */
const testEventSchema = z.object({ Service: z.literal('Amazon S3'), Event: z.literal('s3:TestEvent') });

const bridgeEventSchema = z.object({
  'detail-type': z.literal('Object Created'),
  detail: z.object(bucketAndObject),
});

/** Whether a message is the test event of a bucket's notifications. */
export function isS3TestEvent(message: object): boolean {
  return testEventSchema.safeParse(message).success;
}

/** The objects in a bucket notification, a message with `Records`. */
export function objectsOfS3Event(message: object): ExternalImage[] | MalformedMessage {
  const result = notificationSchema.safeParse(message);
  if (!result.success) return malformed(result.error);
  const { Records } = result.data;
  const other = Records.findIndex(({ eventName }) => !/^(s3:)?ObjectCreated:/.test(eventName));
  if (other >= 0) {
    const expected = `at Records[${other}].eventName: expected S3 events ObjectCreated:*`;
    return new MalformedMessage(expected, Records[other]?.eventName);
  }
  return Records.map((record) => objectUrl(record.s3.bucket, keyOf(record)));
}

/**
 * The object in an S3 event of EventBridge, whose key is not encoded; undefined for other events.
 */
export function objectsOfBridgeEvent(message: object): ExternalImage[] | MalformedMessage | undefined {
  if (!('detail-type' in message && 'source' in message && message.source === 'aws.s3')) return undefined;
  const result = bridgeEventSchema.safeParse(message);
  if (!result.success) return malformed(result.error);
  const { bucket, object } = result.data.detail;
  return [objectUrl(bucket, object.key)];
}

function objectUrl({ name }: { name: string }, key: string): ExternalImage {
  return { url: `s3://${name}/${key}` };
}

/**
 * S3 and MinIO form-encode keys in their events (MinIO also slashes); Ceph does not. A key that is not validly encoded is used
 * unchanged.
 */
function keyOf({ eventSource, s3 }: S3Record): string {
  const { key } = s3.object;
  if (eventSource === 'ceph:s3') return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
