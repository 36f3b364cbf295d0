import type { LexV2Event, LexV2Result, LexV2Slots } from 'aws-lambda';
import type { StageTimer } from '../../shared/classifier/classify-image.ts';
import type { ImageClassifier } from '../../shared/classifier/image-classifier.ts';
import { CHAT_INTENT, CHAT_SLOT } from '../../shared/contract/chat.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import type { Label } from '../../shared/contract/result-line.ts';
import { FAILURE_REASONS } from './failure-reason.ts';
import { imageUrlIn } from './image-url.ts';
import { type Phrases, phrasesFor } from './phrases.ts';
import type { ChatTelemetry, TurnReport } from './telemetry.ts';

/** The parts of the chatbot: one of each per process. */
export type ChatDependencies = {
  classifier: ImageClassifier;
  fetch: (url: string, signal: AbortSignal) => Promise<Buffer | ImageFailure>;
  telemetry: ChatTelemetry;
};

/** A best label with a lower score is called a guess. */
const SURE_FROM = 0.3;
/** Labels with a lower score, and more than two besides the best, are noise in a conversation. */
const WORTH_SAYING_FROM = 0.02;
const OTHERS = 2;
/** The best label and the others that a reply may mention. */
export const LABELS_IN_A_REPLY = 1 + OTHERS;
/** Lex limit: characters per message. */
const MAX_MESSAGE_CHARS = 1_024;

/**
 * One turn of the conversation. During the dialog it fills the slot with the URL in the user's text, or asks for one; for
 * fulfilment it labels the image. When the user sends only a URL, Lex uses the fallback intent: that is treated as the question.
 *
 * @param signal the deadline of the turn
 */
export async function converse(
  event: LexV2Event,
  dependencies: ChatDependencies,
  signal: AbortSignal,
): Promise<LexV2Result> {
  const { bot, inputTranscript, invocationSource, sessionState } = event;
  const { intent } = sessionState;
  const phrases = phrasesFor(bot.localeId);
  const heard = imageUrlIn(inputTranscript);
  const url = heard ?? imageUrlIn(slotText(intent.slots));
  const report = (outcome: TurnReport['outcome'], rest: Partial<TurnReport> = {}) =>
    dependencies.telemetry.turn({ localeId: bot.localeId, outcome, stages: {}, ...rest });
  if (url === undefined) {
    report('asked for a URL');
    return elicit(event, slotText(intent.slots) === '' ? phrases.askForUrl : phrases.askAgain);
  }
  const filled = intent.name === CHAT_INTENT ? { ...intent, slots: slotsWith(url) } : intent;
  if (invocationSource === 'DialogCodeHook') {
    report('delegated');
    return respond(event, { type: 'Delegate' }, filled);
  }
  const { state, text, ...told } = await describe(url, phrases, dependencies, signal);
  report(told.outcome, told);
  return respond(event, { type: 'Close' }, { ...filled, state }, text);
}

type Description = Pick<TurnReport, 'outcome' | 'code' | 'stages'> & { state: 'Fulfilled' | 'Failed'; text: string };

async function describe(
  url: string,
  phrases: Phrases,
  { classifier, fetch }: ChatDependencies,
  signal: AbortSignal,
): Promise<Description> {
  const stages: TurnReport['stages'] = {};
  const time: StageTimer = (stage, milliseconds) => {
    stages[stage] = milliseconds;
  };
  const outcome = await classifier.classify(() => fetch(url, signal), time, signal);
  if (outcome === 'deadline') return { outcome: 'out of time', state: 'Failed', text: phrases.outOfTime, stages };
  if (outcome instanceof ImageFailure) {
    const { code } = outcome;
    return { outcome: 'failed', code, state: 'Failed', text: phrases.failures[FAILURE_REASONS[code]], stages };
  }
  return { outcome: 'labeled', state: 'Fulfilled', text: sentence(outcome.labels, phrases), stages };
}

function sentence([best, ...others]: readonly Label[], phrases: Phrases): string {
  if (best === undefined) return phrases.seesNothing;
  const said = others.filter(({ score }) => score >= WORTH_SAYING_FROM).slice(0, OTHERS);
  return best.score >= SURE_FROM ? phrases.sees(best, said) : phrases.guesses(best, said);
}

/** The user's reply when Lex asked for the URL. */
function slotText(slots: LexV2Slots): string {
  return slots[CHAT_SLOT]?.value.originalValue ?? '';
}

function slotsWith(url: string): LexV2Slots {
  const value = { originalValue: url, interpretedValue: url, resolvedValues: [url] };
  return { [CHAT_SLOT]: { shape: 'Scalar', value } };
}

function elicit(event: LexV2Event, text: string): LexV2Result {
  const intent = { name: CHAT_INTENT, state: 'InProgress', slots: { [CHAT_SLOT]: null } } as const;
  return respond(event, { type: 'ElicitSlot', slotToElicit: CHAT_SLOT }, intent, text);
}

function respond(
  { sessionState: { sessionAttributes = {} } }: LexV2Event,
  dialogAction: LexV2Result['sessionState']['dialogAction'],
  intent: NonNullable<LexV2Result['sessionState']['intent']>,
  text?: string,
): LexV2Result {
  return {
    sessionState: { sessionAttributes, dialogAction, intent },
    ...(text !== undefined && { messages: [{ contentType: 'PlainText', content: text.slice(0, MAX_MESSAGE_CHARS) }] }),
  };
}
