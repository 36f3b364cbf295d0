import type { LexV2Event, LexV2Slots } from 'aws-lambda';

/**
 * Events as AWS documents them in "AWS Lambda input event format for Lex V2",
 * https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html, with what Lex gives for the bot that
 * `infra/chat/chat-bot.ts` makes.
 */
export type Turn = {
  said: string;
  source?: LexV2Event['invocationSource'];
  localeId?: string;
  /** `FallbackIntent` is what Lex takes when no utterance of the bot is near. */
  intent?: 'DescribeImage' | 'FallbackIntent';
  /** What was said when Lex asked for the slot. */
  slot?: string;
};

export function lexEvent({
  said,
  source = 'DialogCodeHook',
  localeId = 'en_US',
  intent: name = 'DescribeImage',
  slot,
}: Turn): LexV2Event {
  const isDialog = source === 'DialogCodeHook';
  const intent = {
    name,
    slots: name === 'DescribeImage' ? { ImageUrl: slotOf(slot) } : ({} as LexV2Slots),
    state: isDialog ? ('InProgress' as const) : ('ReadyForFulfillment' as const),
    confirmationState: 'None' as const,
  };
  return {
    messageVersion: '1.0',
    invocationSource: source,
    inputMode: 'Text',
    responseContentType: 'text/plain; charset=utf-8',
    sessionId: '123456789012345',
    inputTranscript: said,
    bot: {
      id: 'ABCDEFGHIJ',
      name: 'labelqueue-dev',
      localeId,
      version: '1',
      aliasId: 'TSTALIASID',
      aliasName: 'live',
    },
    interpretations: [
      { intent, nluConfidence: 0.9 },
      { intent: { name: 'FallbackIntent', slots: {}, state: 'InProgress', confirmationState: 'None' } },
    ],
    proposedNextState: {
      dialogAction: isDialog ? { type: 'ElicitSlot', slotToElicit: 'ImageUrl' } : { type: 'Close' },
      intent,
    },
    requestAttributes: {},
    sessionState: {
      sessionAttributes: { theirs: 'kept' },
      activeContexts: [],
      intent,
      originatingRequestId: '5e1f5c8a-0a7f-4c39-8f5c-9e8b6ea1d6ad',
    },
    transcriptions: [
      { transcription: said, transcriptionConfidence: 1, resolvedContext: { intent: name }, resolvedSlots: {} },
    ],
  };
}

function slotOf(said: string | undefined): LexV2Slots[string] {
  if (said === undefined) return null;
  return { shape: 'Scalar', value: { originalValue: said, interpretedValue: said, resolvedValues: [said] } };
}
