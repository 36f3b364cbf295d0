export type NamedQuery = { name: string; sql: string };

/** The statements that make tables: in the stack, CloudFormation does that. */
const TABLES = /^(athena-(results|failures|runs)(-jobs)?)$/;

/** The queries of `samples/queries.sql` that Athena understands and that do not make tables, in their order. */
export function namedQueries(text: string): NamedQuery[] {
  const statements = text.split(/^-- name: /m).slice(1);
  return statements.flatMap((statement) => {
    const [name = '', ...lines] = statement.trimEnd().split('\n');
    if (lines[0] === '-- dialect: duckdb' || TABLES.test(name)) return [];
    return [
      {
        name,
        sql: lines
          .filter((line) => !line.startsWith('--'))
          .join('\n')
          .trim(),
      },
    ];
  });
}
