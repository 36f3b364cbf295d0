import { Duration } from 'aws-cdk-lib';
import { CorsHttpMethod, type CorsPreflightOptions } from 'aws-cdk-lib/aws-apigatewayv2';
import type { ApiConfig } from './api-config.ts';

/**
 * What API Gateway answers to the preflight requests of browsers, which it does by itself for paths without a route for
 * OPTIONS. A `$default` route would be one, and would ask preflight requests for a token that they cannot have: an API with
 * CORS has none. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 */
export function corsOf({ cors }: ApiConfig): CorsPreflightOptions | undefined {
  if (cors === undefined) return undefined;
  return {
    allowOrigins: cors.allowOrigins,
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
    allowHeaders: ['authorization', 'content-type'],
    exposeHeaders: ['retry-after'],
    maxAge: Duration.seconds(cors.maxAgeSeconds),
  };
}
