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

/** SQL: `embedding_floats(text)` decodes the embedding of a line to a list of FLOAT; NULL if it is malformed. */
export const EMBEDDING_FLOATS = 'embedding_floats';

/** Registers the function with a connection: DuckDB has no float16. */
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
  // DuckDB only reads the length and the items; an array of numbers would take twice the memory.
  return values === undefined ? null : new DuckDBListValue(values as unknown as DuckDBValue[]);
}
