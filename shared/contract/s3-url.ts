/**
 * The parts of `s3://bucket/key`; undefined for anything else. Not `URL`: a key may hold `?`, `#` and
 * `%`, which are no syntax there.
 */
export function parseS3Url(url: string): { bucket: string; key: string } | undefined {
  const { bucket, key } = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.+)$/is.exec(url)?.groups ?? {};
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}
