import { z } from 'zod';
import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';

/** The options of the chatbot in a stage's file. */
export const chatbot = z.strictObject({
  /** 1,769 MB are one vCPU. The model and one image need about 750. */
  memoryMb: z.int().min(1_024).max(10_240).default(FUNCTION_MEMORY_MB),
  /** Whether the bot is directed at children; a law of the USA (COPPA) has Lex ask. */
  childDirected: z.boolean().default(false),
  /** After so long without a word a conversation starts anew. */
  idleSessionMinutes: z.int().min(1).max(1_440).default(5),
});

/** The options of the chatbot. */
export type ChatbotConfig = z.infer<typeof chatbot>;
