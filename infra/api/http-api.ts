import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi as ApiGatewayHttpApi,
  HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { API_OPERATIONS } from '../../shared/contract/api-operations.ts';
import { API_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { classifierEnvironment, packagedFunction } from '../function/packaged-function.ts';
import { acknowledgeWildcards } from '../function/permissions.ts';
import { released } from '../function/release.ts';
import type { Queues } from '../queue/job-queues.ts';
import type { StackConfig } from '../stage-config.ts';
import type { ApiConfig } from './api-config.ts';
import { corsOf } from './cors.ts';
import { API_READS, apiStatements, apiWrites } from './permissions.ts';

export type HttpApiProps = {
  config: StackConfig;
  api: ApiConfig;
  code: Code;
  queues: Queues;
  results: Bucket;
};

/** The HTTP API: closed to all who do not sign with IAM, or have no token of the issuer that is configured. */
export class HttpApi extends Construct {
  readonly api: ApiGatewayHttpApi;
  readonly function: LambdaFunction;
  /** Of the function. */
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { config, api, code, queues, results }: HttpApiProps) {
    super(scope, id);
    const made = packagedFunction(this, {
      config,
      description: 'labelqueue: answers the HTTP API',
      code,
      handler: 'api.handler',
      memoryMb: api.memoryMb,
      timeoutSeconds: API_TIMEOUT_SECONDS,
      reservedConcurrency: api.reservedConcurrency,
      policyName: 'api',
      statements: (logGroup) => apiStatements({ config, queues, results, logGroup }),
      environment: {
        ...classifierEnvironment({ config, queues, results }),
        POWERTOOLS_SERVICE_NAME: `${config.serviceName}-api`,
      },
    });
    this.function = made.function;
    this.logGroup = made.logGroup;
    acknowledgeWildcards(made.role, { results, config }, { ...apiWrites(config), ...API_READS });
    const fn = released(this, this.function, { config, alarmId: 'ApiFunctionErrors' });
    const integration = new HttpLambdaIntegration('Integration', fn);
    const corsPreflight = corsOf(api);
    this.api = new ApiGatewayHttpApi(this, 'Api', {
      // Otherwise the APIs of all stages are called `Api` in the console.
      apiName: Stack.of(this).stackName,
      description: 'labelqueue: labels images, enqueues jobs and tells how far they are',
      createDefaultStage: false,
      defaultAuthorizer: authorizerOf(api),
      // Paths and methods that there are not: the function answers them in the form of all other problems.
      ...(corsPreflight === undefined ? { defaultIntegration: integration } : { corsPreflight }),
    });
    for (const { method, path } of Object.values(API_OPERATIONS)) {
      this.api.addRoutes({ path, methods: [HttpMethod[method]], integration });
    }
    this.#addStage(config, api);
  }

  #addStage(config: StackConfig, { requestsPerSecond, burst }: ApiConfig): void {
    const { encryptionKey } = config;
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey !== undefined && { encryptionKey }),
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: requestsPerSecond, burstLimit: burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogs),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
  }
}

/** Routes, never paths and queries: those name images and jobs, and signatures stand in them. */
const ACCESS_LOG = {
  requestId: AccessLogField.contextRequestId(),
  time: AccessLogField.contextRequestTime(),
  route: AccessLogField.contextRouteKey(),
  status: AccessLogField.contextStatus(),
  bytes: AccessLogField.contextResponseLength(),
  ms: AccessLogField.contextResponseLatency(),
  integrationMs: AccessLogField.contextIntegrationLatency(),
  integrationStatus: AccessLogField.contextIntegrationStatus(),
  integrationError: AccessLogField.contextIntegrationErrorMessage(),
  authorizerError: AccessLogField.contextAuthorizerError(),
  ip: AccessLogField.contextIdentitySourceIp(),
  caller: AccessLogField.contextIdentityUserArn(),
};

function authorizerOf({ jwt }: ApiConfig): IHttpRouteAuthorizer {
  if (jwt === undefined) return new HttpIamAuthorizer();
  return new HttpJwtAuthorizer('Jwt', jwt.issuer, { jwtAudience: jwt.audience });
}
