import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { failureLineSchema, resultLineSchema } from '../../shared/contract/line-schemas.ts';
import { messageSchema } from '../../shared/contract/message.ts';

/** By the names of their files. */
const SCHEMAS = {
  message: { schema: messageSchema, title: 'The body of a message on the queue, version 1' },
  'result-line': { schema: resultLineSchema, title: 'A line of results/: an image that was classified' },
  'failure-line': { schema: failureLineSchema, title: 'A line of failures/: an image that failed' },
} as const;

/** @returns JSON Schema documents (draft 2020-12) by their names; lines may have more properties, as later versions may add some */
export function jsonSchemas(): Map<string, object> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, { schema, title }]) => {
      const { $schema, ...document } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
      return [name, { $schema, title, ...document }];
    }),
  );
}

export async function writeJsonSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, schema] of jsonSchemas()) {
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`);
  }
}
