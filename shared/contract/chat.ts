/** The names that the bot and its function share. */
export const CHAT_INTENT = 'DescribeImage';
export const CHAT_SLOT = 'ImageUrl';
