import type { CfnBot } from 'aws-cdk-lib/aws-lex';
import { ASK_FOR_URL, CHAT_INTENT, CHAT_SLOT } from '../../shared/contract/chat.ts';

/** What users say in a language. */
type ChatLocale = { localeId: keyof typeof ASK_FOR_URL; utterances: readonly string[] };

/**
 * No utterance names the slot or has a URL: the slot's type, AMAZON.FreeFormInput, keeps a URL as it is, but Lex takes it
 * only as an answer to its own question. The function finds the URL in what was said, whether Lex saw the
 * intent in it or fell back.
 * https://docs.aws.amazon.com/lexv2/latest/dg/built-in-slot-free-form.html
 */
export const CHAT_LOCALES: readonly ChatLocale[] = [
  {
    localeId: 'en_US',
    utterances: [
      'what is in this picture',
      'what is on this photo',
      'what is this',
      'what do you see',
      'describe this image',
      'label this image',
      'recognize this picture',
      'look at this picture',
    ],
  },
  {
    localeId: 'ja_JP',
    utterances: [
      'この写真は何ですか',
      'この写真に何が写っていますか',
      'この画像は何',
      'これは何ですか',
      '何が見えますか',
      '写真を見て',
      '画像を説明して',
    ],
  },
];

/** Below this Lex calls nothing a match and takes the fallback; 0.4 is its own default. */
const NLU_CONFIDENCE = 0.4;

export function localeOf({ localeId, utterances }: ChatLocale): CfnBot.BotLocaleProperty {
  return {
    localeId,
    nluConfidenceThreshold: NLU_CONFIDENCE,
    intents: [
      {
        name: CHAT_INTENT,
        description: 'Asks what is in a picture.',
        sampleUtterances: utterances.map((utterance) => ({ utterance })),
        slots: [
          {
            name: CHAT_SLOT,
            slotTypeName: 'AMAZON.FreeFormInput',
            valueElicitationSetting: {
              slotConstraint: 'Required',
              promptSpecification: {
                maxRetries: 2,
                allowInterrupt: true,
                messageGroupsList: [{ message: { plainTextMessage: { value: ASK_FOR_URL[localeId] } } }],
              },
            },
          },
        ],
        slotPriorities: [{ slotName: CHAT_SLOT, priority: 1 }],
        dialogCodeHook: { enabled: true },
        fulfillmentCodeHook: { enabled: true },
      },
      {
        name: 'FallbackIntent',
        description: 'Whatever else is said; the function looks for a URL in it.',
        parentIntentSignature: 'AMAZON.FallbackIntent',
        fulfillmentCodeHook: { enabled: true },
      },
    ],
  };
}
