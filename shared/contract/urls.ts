/**
 * The parts of `s3://bucket/key`; undefined for anything else. Not `URL`: a key may contain `?`, `#` and `%` literally.
 */
export function parseS3Url(url: string): { bucket: string; key: string } | undefined {
  const { bucket, key } = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.+)$/is.exec(url)?.groups ?? {};
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

/** The bucket and prefix of `s3://bucket/prefix/`; the prefix is optional. Undefined for anything else. */
export function parseS3Prefix(source: string): { bucket: string; prefix: string } | undefined {
  const { bucket, prefix = '' } = /^s3:\/\/(?<bucket>[^/]+)(\/(?<prefix>.*))?$/is.exec(source)?.groups ?? {};
  return bucket === undefined ? undefined : { bucket, prefix };
}

/** The host of a URL, or the text itself when it is not a URL. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
