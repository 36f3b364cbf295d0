-- Queries over the part files of labelqueue, for DuckDB and Amazon Athena (Trino).
--
-- Each statement starts with its name. `-- dialect:` stands where only one of the two understands it;
-- all others run in both as they are. Put the name of the results bucket in place of BUCKET.
--
-- 1. The tables: those of your dialect; for Athena, MSCK REPAIR TABLE once more after each new job. A stack that
--    `npm run deploy` made has them already, and finds new jobs by itself; its queries must name one job each.
--    DuckDB reads S3 after
--      INSTALL httpfs; LOAD httpfs; CREATE SECRET (TYPE s3, PROVIDER credential_chain);
--    or put a folder in place of s3://BUCKET that `aws s3 sync s3://BUCKET folder` filled.
-- 2. The two views: SQS delivers at least once, and a redrive makes failures good. They count an image once, and of a job
--    the newest run alone: a name that is used again after a purge has another one, and a worker that was busy meanwhile
--    may still write lines of the earlier run. Lines without a run are of jobs that have none.
-- 3. Whatever you want to know, of one job with WHERE job = '...'; Athena then reads the files of that job alone.

-- name: duckdb-results
-- dialect: duckdb
CREATE OR REPLACE VIEW results AS
SELECT * FROM read_json('s3://BUCKET/results/job=*/**/part-*.jsonl', format = 'newline_delimited',
  hive_partitioning = false, columns = {
    job: 'VARCHAR', run: 'VARCHAR', id: 'VARCHAR', url: 'VARCHAR', meta: 'JSON',
    labels: 'STRUCT("label" VARCHAR, score DOUBLE, classId INTEGER)[]',
    model: 'STRUCT("name" VARCHAR, "version" VARCHAR)',
    image: 'STRUCT(width INTEGER, height INTEGER, format VARCHAR, bytes BIGINT, sha256 VARCHAR)',
    embedding: 'VARCHAR', trunk: 'VARCHAR', attempt: 'INTEGER', "at": 'VARCHAR'
  });

-- name: duckdb-failures
-- dialect: duckdb
CREATE OR REPLACE VIEW failures AS
SELECT * FROM read_json('s3://BUCKET/failures/job=*/**/part-*.jsonl', format = 'newline_delimited',
  hive_partitioning = false, columns = {
    job: 'VARCHAR', run: 'VARCHAR', id: 'VARCHAR', url: 'VARCHAR', meta: 'JSON',
    error: 'STRUCT(code VARCHAR, stage VARCHAR, message VARCHAR, retryable BOOLEAN)',
    attempt: 'INTEGER', "at": 'VARCHAR'
  });

-- name: duckdb-runs
-- dialect: duckdb
CREATE OR REPLACE VIEW runs AS
SELECT * FROM read_json('s3://BUCKET/jobs/*/job.json', format = 'newline_delimited',
  columns = { job: 'VARCHAR', run: 'VARCHAR' });

-- name: athena-results
-- dialect: athena
CREATE EXTERNAL TABLE IF NOT EXISTS results (
  run string, id string, url string, meta string,
  labels array<struct<label:string, score:double, classid:int>>,
  model struct<name:string, version:string>,
  image struct<width:int, height:int, format:string, bytes:bigint, sha256:string>,
  embedding string, trunk string, attempt int, `at` string
)
PARTITIONED BY (job string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive' = 'FALSE', 'mapping.classid' = 'classId')
LOCATION 's3://BUCKET/results/';

-- name: athena-results-jobs
-- dialect: athena
MSCK REPAIR TABLE results;

-- name: athena-failures
-- dialect: athena
CREATE EXTERNAL TABLE IF NOT EXISTS failures (
  run string, id string, url string, meta string,
  error struct<code:string, stage:string, message:string, retryable:boolean>,
  attempt int, `at` string
)
PARTITIONED BY (job string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive' = 'FALSE', 'mapping.classid' = 'classId')
LOCATION 's3://BUCKET/failures/';

-- name: athena-failures-jobs
-- dialect: athena
MSCK REPAIR TABLE failures;

-- name: athena-runs
-- dialect: athena
CREATE EXTERNAL TABLE IF NOT EXISTS runs (run string)
PARTITIONED BY (job string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://BUCKET/runs/';

-- name: athena-runs-jobs
-- dialect: athena
MSCK REPAIR TABLE runs;

-- name: classified
CREATE OR REPLACE VIEW classified AS
SELECT * FROM (
  SELECT results.*, row_number() OVER (PARTITION BY results.job, results.id ORDER BY results."at" DESC) AS line
  FROM results LEFT JOIN runs ON runs.job = results.job
  WHERE coalesce(results.run, '') = coalesce(runs.run, '')
) AS lines
WHERE line = 1;

-- name: failed
CREATE OR REPLACE VIEW failed AS
SELECT * FROM (
  SELECT failures.*, row_number() OVER (PARTITION BY failures.job, failures.id ORDER BY failures."at" DESC) AS line
  FROM failures LEFT JOIN runs ON runs.job = failures.job
  WHERE coalesce(failures.run, '') = coalesce(runs.run, '')
) AS lines
WHERE line = 1
  AND NOT EXISTS (SELECT 1 FROM classified WHERE classified.job = lines.job AND classified.id = lines.id);

-- name: images-per-label
SELECT try(labels[1].label) AS label, count(*) AS images, avg(try(labels[1].score)) AS mean_score
FROM classified
WHERE job = 'my-job'
GROUP BY try(labels[1].label)
ORDER BY images DESC, label;

-- name: low-confidence-images
SELECT id, url, try(labels[1].label) AS label, try(labels[1].score) AS score
FROM classified
WHERE job = 'my-job' AND coalesce(try(labels[1].score), 0) < 0.5
ORDER BY score, id
LIMIT 1000;

-- name: failures-by-host
SELECT regexp_extract(lower(url), '^[a-z0-9+.-]+://([^/?#]*@)?([^/?#]*)', 2) AS host, error.code AS code, count(*) AS images
FROM failed
WHERE job = 'my-job'
GROUP BY 1, 2
ORDER BY images DESC, host, code;

-- name: duplicates-by-sha256
SELECT image.sha256 AS sha256, count(*) AS images, min(id) AS one_id, max(id) AS another_id, max(image.bytes) AS bytes
FROM classified
WHERE job = 'my-job'
GROUP BY image.sha256
HAVING count(*) > 1
ORDER BY images DESC, sha256;

-- name: embeddings-by-model
SELECT trunk, model.name AS model, model.version AS version, count(*) AS images
FROM classified
WHERE job = 'my-job' AND embedding IS NOT NULL
GROUP BY trunk, model.name, model.version
ORDER BY images DESC, trunk, version;

-- name: failures-to-look-at
SELECT error.code AS code, error.stage AS stage, count(*) AS images, min(url) AS example, max(attempt) AS attempts
FROM failed
WHERE job = 'my-job'
GROUP BY error.code, error.stage
ORDER BY images DESC, code;

-- name: images-per-minute
SELECT substr("at", 1, 16) AS minute, count(*) AS images
FROM classified
WHERE job = 'my-job'
GROUP BY substr("at", 1, 16)
ORDER BY minute;
