/** The name of an S3 bucket. */
export const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A SHA-256 in hexadecimal. */
export const SHA256_HEX = /^[0-9a-f]{64}$/;
