/** The envelopes that SNS and EventBridge put around messages that they deliver to a queue. */
import { z } from 'zod';
import { type MalformedMessage, malformed } from './malformed-message.ts';

/** The content of an envelope: a text like a body, or parsed JSON. */
export type Opened = { name: string; content: string | object };

const notificationSchema = z.object({
  Type: z.literal(
    'Notification',
    'expected "Notification"; a subscription is confirmed by opening the SubscribeURL of its message',
  ),
  Message: z.string(),
});

const bridgeEventSchema = z.object({
  detail: z.custom<object>(
    (detail) => typeof detail === 'object' && detail !== null && !Array.isArray(detail),
    'expected an object',
  ),
});

/** Opens an envelope; undefined for any other object. */
export function openEnvelope(message: object): Opened | MalformedMessage | undefined {
  if ('Type' in message && ('Message' in message || 'TopicArn' in message)) return openNotification(message);
  if ('detail-type' in message || ('detail' in message && 'source' in message)) return openBridgeEvent(message);
  return undefined;
}

function openNotification(message: object): Opened | MalformedMessage {
  const result = notificationSchema.safeParse(message);
  return result.success ? { name: 'in Message of SNS', content: result.data.Message } : malformed(result.error);
}

function openBridgeEvent(message: object): Opened | MalformedMessage {
  const result = bridgeEventSchema.safeParse(message);
  return result.success ? { name: 'in detail of EventBridge', content: result.data.detail } : malformed(result.error);
}
