import { commandName } from '../terminal/command-name.ts';

/** Advice for lines without embeddings. */
export function embeddingAdvice(): string {
  return `workers write embeddings with EMBEDDING=1 ("embedding": true in a stage, \`${commandName()} local --embedding\`); enqueue these images again`;
}
