import type { S3Client } from '@aws-sdk/client-s3';
import { rememberAwsCall } from '../contract/aws-call.ts';

/** A client of the AWS SDK, of whatever service. */
export type AwsClient = { middlewareStack: object };

/** Of each client the stack has this shape; TypeScript has a type of its own for each service. */
export function middlewareOf({ middlewareStack }: AwsClient): S3Client['middlewareStack'] {
  return middlewareStack as S3Client['middlewareStack'];
}

/**
 * Lets the errors of a client name service, call and address: those of the SDK name none of them.
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
          // The SDK resolves it while it sends.
          address: context.endpointV2?.url.origin,
        });
        throw error;
      }
    },
    { step: 'initialize', priority: 'high', name: 'namedCalls' },
  );
  return client;
}
