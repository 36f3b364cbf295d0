import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import { ATHENA_PREFIX } from './results-bucket.ts';

const QUERIES = join(import.meta.dirname, '../../samples/queries.sql');
/** A query over so much by mistake costs $0.50; a million result lines are about 0.7 GB, and 4.1 GB with embeddings. */
const MAX_BYTES_A_QUERY = 100 * 1_000 ** 3;

type Column = [name: string, type: string];

const COMMON_COLUMNS: Column[] = [
  ['run', 'string'],
  ['id', 'string'],
  ['url', 'string'],
  ['meta', 'string'],
];
const ATTEMPT_COLUMNS: Column[] = [
  ['attempt', 'int'],
  ['at', 'string'],
];
/** Named after their folders of the bucket. */
type TableName = PartKind | 'runs';

const COLUMNS: Record<TableName, Column[]> = {
  results: [
    ...COMMON_COLUMNS,
    ['labels', 'array<struct<label:string,score:double,classid:int>>'],
    ['model', 'struct<name:string,version:string>'],
    ['image', 'struct<width:int,height:int,format:string,bytes:bigint,sha256:string>'],
    ['embedding', 'string'],
    ['trunk', 'string'],
    ...ATTEMPT_COLUMNS,
  ],
  failures: [
    ...COMMON_COLUMNS,
    ['error', 'struct<code:string,stage:string,message:string,retryable:boolean>'],
    ...ATTEMPT_COLUMNS,
  ],
  // Which run of a job counts.
  runs: [['run', 'string']],
};

const LOGICAL_IDS: Record<TableName, string> = {
  results: 'ResultsTable',
  failures: 'FailuresTable',
  runs: 'RunsTable',
};

/** Tables of Athena over the part files, a workgroup, and the queries of `samples/queries.sql`. */
export class ResultTables extends Construct {
  /** @param kmsKeyArn the key for answers; S3's own without */
  constructor(scope: Construct, id: string, { bucket, kmsKeyArn }: { bucket: Bucket; kmsKeyArn: string | undefined }) {
    super(scope, id);
    const { stackName, account } = Stack.of(this);
    const databaseName = stackName.replaceAll('-', '_');
    const database = new CfnDatabase(this, 'Database', {
      catalogId: account,
      databaseInput: { name: databaseName, description: 'labelqueue: what became of images' },
    });
    for (const name of ['results', 'failures', 'runs'] as const) {
      this.#table(name, databaseName, bucket.bucketName).addResourceDependency(database);
    }
    const workGroup = new CfnWorkGroup(this, 'WorkGroup', {
      name: stackName,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        bytesScannedCutoffPerQuery: MAX_BYTES_A_QUERY,
        resultConfiguration: {
          outputLocation: `s3://${bucket.bucketName}/${ATHENA_PREFIX}`,
          encryptionConfiguration:
            kmsKeyArn === undefined
              ? { encryptionOption: 'SSE_S3' }
              : { encryptionOption: 'SSE_KMS', kmsKey: kmsKeyArn },
        },
      },
    });
    for (const query of namedQueries(readFileSync(QUERIES, 'utf8'))) this.#query(query, databaseName, workGroup);
  }

  /** Jobs are partitions that need no registration: a query names its job, and Athena reads that prefix alone. */
  #table(name: TableName, databaseName: string, bucketName: string): CfnTable {
    const location = `s3://${bucketName}/${name}/`;
    return new CfnTable(this, LOGICAL_IDS[name], {
      catalogId: Stack.of(this).account,
      databaseName,
      tableInput: {
        name,
        tableType: 'EXTERNAL_TABLE',
        parameters: {
          'projection.enabled': 'true',
          'projection.job.type': 'injected',
          // The dollar is Athena's own placeholder.
          'storage.location.template': `${location}job=\${job}/`,
        },
        partitionKeys: [{ name: 'job', type: 'string' }],
        storageDescriptor: {
          location,
          columns: COLUMNS[name].map(([column, type]) => ({ name: column, type })),
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: {
            serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
            // Otherwise a `meta` with the keys `SKU` and `sku` would break every query of its job.
            parameters: { 'case.insensitive': 'FALSE', 'mapping.classid': 'classId' },
          },
        },
      },
    });
  }

  #query({ name, sql }: NamedQuery, database: string, workGroup: CfnWorkGroup): void {
    const query = new CfnNamedQuery(this, `Query-${name}`, {
      name,
      database,
      queryString: sql,
      workGroup: workGroup.name,
    });
    query.addResourceDependency(workGroup);
  }
}

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
