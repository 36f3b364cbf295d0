import { isIP } from 'node:net';

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

/** Whether a text is `host:port`, `1.2.3.4:port` or `[v6]:port`. */
export function isHostAndPort(text: string): boolean {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text);
  const { v6, port } = match?.groups ?? {};
  const portNumber = Number(port);
  return match !== null && portNumber >= 1 && portNumber <= 65_535 && (v6 === undefined || isIP(v6) === 6);
}

/** Whether a URL belongs to AWS itself, VPC interface endpoints included, and not to a compatible service. */
export function isOfAws(url: string): boolean {
  const { hostname } = URL.parse(url) ?? {};
  return hostname !== undefined && /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(hostname);
}
