import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';

/** The ids of the images in messages, in order; malformed messages have none. */
export function idsIn(messages: { body: string }[]): string[] {
  return messages.flatMap(({ body }) => {
    const message = parseMessage(body);
    return message instanceof MalformedMessage ? [] : message.images.map(({ id }) => id);
  });
}
