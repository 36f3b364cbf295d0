import type { S3Client } from '@aws-sdk/client-s3';
import { rememberAwsCall } from '../contract/aws-call.ts';

/** A client of the AWS SDK, of any service. */
export type AwsClient = { middlewareStack: object };

/** The stack of every client has this shape; TypeScript has a separate type per service. */
export function middlewareOf({ middlewareStack }: AwsClient): S3Client['middlewareStack'] {
  return middlewareStack as S3Client['middlewareStack'];
}

/**
 * Adds service, call and address to the errors of a client, which those of the SDK lack.
 *
 * @returns the client
 */
export function withNamedCalls<Client extends AwsClient>(client: Client): Client {
  middlewareOf(client).add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        rememberAwsCall(error, {
          service: String(context.clientName).replace(/Client$/, ''),
          call: String(context.commandName).replace(/Command$/, ''),
          // Resolved while the request is sent.
          address: context.endpointV2?.url.origin,
        });
        throw error;
      }
    },
    { step: 'initialize', priority: 'high', name: 'namedCalls' },
  );
  return client;
}
