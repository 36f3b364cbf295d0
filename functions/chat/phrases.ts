import { ASK_FOR_URL } from '../../shared/contract/chat.ts';
import type { Label } from '../../shared/contract/result-line.ts';
import type { FailureReason } from './failure-reason.ts';

/** What the bot says in one language. Labels stay in the language of the model. */
export type Phrases = {
  askForUrl: string;
  /** After a text without a URL. */
  askAgain: string;
  /** @param others less likely, best first; may be empty */
  sees(best: Label, others: readonly Label[]): string;
  /** The same below `SURE_FROM`. */
  guesses(best: Label, others: readonly Label[]): string;
  /** For a model with a threshold that no label reaches. */
  seesNothing: string;
  outOfTime: string;
  failures: Record<FailureReason, string>;
};

const ENGLISH: Phrases = {
  askForUrl: ASK_FOR_URL.en_US,
  askAgain: 'That is not the web address of a picture. Please send one that starts with https://',
  sees: (best, others) => `This looks like ${name(best)} (${percent(best)} sure).${orElse(others)}`,
  guesses: (best, others) => `I am not sure. My best guess is ${name(best)} (${percent(best)}).${orElse(others)}`,
  seesNothing: 'I see nothing in this picture that I know.',
  outOfTime: 'That took too long. Please try again in a minute.',
  failures: {
    'not-an-address': 'I cannot read that web address. Please check it and try again.',
    'not-allowed': 'I am not allowed to open that address. Please send the address of a public picture.',
    missing: 'There is no picture at that address.',
    refused: 'The website does not let me see that picture.',
    'no-answer': 'I could not get the picture from that website.',
    slow: 'The website took too long to send the picture. Please try again later.',
    busy: 'The website is too busy to send the picture. Please try again later.',
    'not-an-image': 'What I found at that address is not a picture. Is it a page with the picture on it?',
    'unknown-format': 'I cannot read that kind of picture. I know JPEG, PNG, WebP, GIF, AVIF and TIFF.',
    'broken-image': 'That picture is damaged or incomplete.',
    'too-large': 'That picture is too large for me.',
    'own-fault': 'Something went wrong on my side. Please try again.',
  },
};

function orElse(others: readonly Label[]): string {
  if (others.length === 0) return '';
  return ` It could also be ${others.map((label) => `${name(label)} (${percent(label)})`).join(' or ')}.`;
}

const JAPANESE: Phrases = {
  askForUrl: ASK_FOR_URL.ja_JP,
  askAgain: '写真のURLではないようです。https:// で始まるURLを送ってください。',
  sees: (best, others) => `「${name(best)}」のようです（確信度${percent(best)}）。${japaneseOthers(others)}`,
  guesses: (best, others) =>
    `はっきりしませんが、いちばん近いのは「${name(best)}」です（${percent(best)}）。${japaneseOthers(others)}`,
  seesNothing: 'この写真には、わかるものが写っていません。',
  outOfTime: '時間がかかりすぎました。しばらくしてからもう一度お試しください。',
  failures: {
    'not-an-address': 'そのURLを読み取れません。確認してもう一度送ってください。',
    'not-allowed': 'そのアドレスを開くことは許可されていません。公開されている写真のURLを送ってください。',
    missing: 'そのURLに写真はありません。',
    refused: 'サイトがその写真の閲覧を許可していません。',
    'no-answer': 'サイトから写真を取得できませんでした。',
    slow: 'サイトの応答に時間がかかりすぎました。しばらくしてからもう一度お試しください。',
    busy: 'サイトが混み合っています。しばらくしてからもう一度お試しください。',
    'not-an-image': 'そのURLにあるのは写真ではありません。写真が載っているページのURLではありませんか。',
    'unknown-format': 'その形式の写真は読めません。JPEG、PNG、WebP、GIF、AVIF、TIFFに対応しています。',
    'broken-image': 'その写真は壊れているか、途中で切れています。',
    'too-large': 'その写真は大きすぎます。',
    'own-fault': 'こちらで問題が起きました。もう一度お試しください。',
  },
};

function japaneseOthers(others: readonly Label[]): string {
  if (others.length === 0) return '';
  return `ほかの候補は${others.map((label) => `「${name(label)}」（${percent(label)}）`).join('と')}です。`;
}

/** ImageNet's labels are lists of synonyms; the first is the usual one. */
function name({ label }: Label): string {
  return label.split(',', 1)[0] ?? label;
}

function percent({ score }: Label): string {
  return `${Math.round(score * 100)}%`;
}

/** The phrases of a language. @param localeId as Lex has it, e.g. `ja_JP`; languages that the bot does not know are answered in English */
export function phrasesFor(localeId: string): Phrases {
  return localeId.startsWith('ja') ? JAPANESE : ENGLISH;
}
