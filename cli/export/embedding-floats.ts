import {
  type DuckDBConnection,
  DuckDBListValue,
  DuckDBScalarFunction,
  type DuckDBValue,
  FLOAT,
  LIST,
  VARCHAR,
} from '@duckdb/node-api';
import { decodeEmbedding } from '../../shared/contract/embedding.ts';

/** SQL: `embedding_floats(text)` is the list of FLOAT that an embedding of a line stands for; NULL for what is not one. */
export const EMBEDDING_FLOATS = 'embedding_floats';

/** Makes the function known to a connection: DuckDB has no float16. */
export function registerEmbeddingFloats(connection: DuckDBConnection): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: EMBEDDING_FLOATS,
      parameterTypes: [VARCHAR],
      returnType: LIST(FLOAT),
      mainFunction(_info, input, output) {
        const texts = input.getColumnVector(0);
        for (let row = 0; row < input.rowCount; row++) output.setItem(row, floatsOf(texts.getItem(row)));
        output.flush();
      },
    }),
  );
}

function floatsOf(text: DuckDBValue): DuckDBValue {
  const values = decodeEmbedding(text);
  // It reads nothing of a list but its length and its items; an array of numbers would take twice the memory.
  return values === undefined ? null : new DuckDBListValue(values as unknown as DuckDBValue[]);
}
