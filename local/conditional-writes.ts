import { type buildApp, S3Error, type S3Store } from './fauxqs-parts.ts';

type Condition = { bucket: string; key: string; ifMatch: string | undefined; ifNoneMatch: string | undefined };

/**
 * `If-Match` and `If-None-Match: *` at PutObject, which fauxqs 2.4.1 ignores. The check runs after the body and in the
 * same tick as the write, so that one of two concurrent writers is refused.
 */
export function addConditionalWrites(app: ReturnType<typeof buildApp>, store: S3Store): void {
  app.addHook('preHandler', (request, reply, done) => {
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    const { bucket, '*': key } = request.params as { bucket?: string; '*'?: string };
    const isWrite = request.method === 'PUT' && (ifMatch !== undefined || ifNoneMatch !== undefined);
    if (!isWrite || bucket === undefined || key === undefined) return done();
    const error = problemOf({ bucket, key, ifMatch, ifNoneMatch }, store);
    if (error === undefined) return done();
    reply.status(error.statusCode).header('content-type', 'application/xml').send(error.toXml());
  });
}

function problemOf({ bucket, key, ifMatch, ifNoneMatch }: Condition, store: S3Store): S3Error | undefined {
  const etag = etagOf(bucket, key, store);
  if (ifMatch !== undefined && etag === undefined) return new S3Error('NoSuchKey', 'The key does not exist.', 404);
  const holds = (ifMatch === undefined || bare(ifMatch) === etag) && (ifNoneMatch === undefined || etag === undefined);
  return holds ? undefined : new S3Error('PreconditionFailed', 'A precondition of the write does not hold.', 412);
}

function etagOf(bucket: string, key: string, store: S3Store): string | undefined {
  try {
    return bare(store.headObject(bucket, key).etag);
  } catch (error) {
    if (error instanceof S3Error) return undefined;
    throw error;
  }
}

function bare(etag: string): string {
  return etag.replaceAll('"', '');
}
