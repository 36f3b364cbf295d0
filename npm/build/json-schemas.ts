import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { failureLineSchema, resultLineSchema } from '../../shared/contract/line-schemas.ts';
import { messageSchema } from '../../shared/contract/message.ts';

/** By the names of their files. */
const SCHEMAS = {
  message: { schema: messageSchema, title: 'The body of a message on the queue, version 1', io: 'input' },
  'result-line': { schema: resultLineSchema, title: 'A line of results/: an image that was classified', io: 'output' },
  'failure-line': { schema: failureLineSchema, title: 'A line of failures/: an image that failed', io: 'output' },
} as const;

/** @returns JSON Schema documents (draft 2020-12) by their names; what consumers read may get more properties later on */
export function jsonSchemas(): Map<string, object> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, { schema, title, io }]) => {
      const { $schema, ...document } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: openLines(io) });
      return [name, { $schema, title, ...document }];
    }),
  );
}

/** zod closes objects that are read; lines may get properties in later versions. */
function openLines(io: 'input' | 'output') {
  return ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
    if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  };
}

export async function writeJsonSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, schema] of jsonSchemas()) {
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`);
  }
}
