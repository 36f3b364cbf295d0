/** The intent of the bot. */
export const CHAT_INTENT = 'DescribeImage';
/** The slot that holds the URL. */
export const CHAT_SLOT = 'ImageUrl';

/** The question for the slot, by Lex locale: Lex asks it itself when the function delegates. */
export const ASK_FOR_URL = {
  en_US: 'Which picture? Please send me its web address.',
  ja_JP: 'どの写真ですか。写真のURLを送ってください。',
} as const;
