import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { API_OPERATIONS } from '../../../shared/contract/api-operations.ts';
import { templateOf } from '../synthesized.ts';

const JWT = { issuer: 'https://issuer.example', audience: ['labelqueue'] };

const template = templateOf({ api: {} });
const withTokens = templateOf({ api: { jwt: JWT } });

type Route = { RouteKey: string; AuthorizationType: string; Target: unknown };

function routesOf(made: typeof template): Route[] {
  return Object.values(made.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties as Route);
}

test('a stage that does not ask for an API has none', () => {
  const without = templateOf();
  for (const type of ['Api', 'Route', 'Stage', 'Integration', 'Authorizer']) {
    without.resourceCountIs(`AWS::ApiGatewayV2::${type}`, 0);
  }
  without.resourcePropertiesCountIs('AWS::Lambda::Function', { Handler: Match.stringLikeRegexp('^api') }, 0);
  expect(without.findOutputs('ApiUrl')).toEqual({});
});

describe('routes', () => {
  test('are those of the contract, and a catch-all', () => {
    const expected = Object.values(API_OPERATIONS).map(({ method, path }) => `${method} ${path}`);
    const keys = routesOf(template).map(({ RouteKey }) => RouteKey);
    expect(keys.toSorted()).toEqual([...expected, '$default'].toSorted());
  });

  test('all lead to the function in payload format 2.0', () => {
    template.allResourcesProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
    });
    for (const { Target } of routesOf(template)) expect(JSON.stringify(Target)).toContain('integrations/');
  });

  test('require IAM signatures', () => {
    expect(routesOf(template).map(({ AuthorizationType }) => AuthorizationType)).toEqual(Array(7).fill('AWS_IAM'));
    template.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 0);
    expect(JSON.stringify([template.toJSON(), withTokens.toJSON()])).not.toContain('"NONE"');
  });

  test('accept tokens of the configured issuer and audience', () => {
    expect(routesOf(withTokens).map(({ AuthorizationType }) => AuthorizationType)).toEqual(Array(7).fill('JWT'));
    withTokens.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: JWT.issuer, Audience: JWT.audience },
    });
  });

  test('cannot be called from pages of other origins', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { CorsConfiguration: Match.absent() });
  });
});

describe('for pages of other origins', () => {
  const cors = { allowOrigins: ['https://app.example'] };
  const forPages = templateOf({ api: { jwt: JWT, cors } });

  test('API Gateway answers preflight requests', () => {
    forPages.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: {
        AllowOrigins: ['https://app.example'],
        AllowMethods: ['GET', 'POST'],
        AllowHeaders: ['authorization', 'content-type'],
        ExposeHeaders: ['retry-after'],
        MaxAge: 600,
        AllowCredentials: Match.absent(),
      },
    });
  });

  test('no route handles OPTIONS, which would require a token that browsers do not send', () => {
    const expected = Object.values(API_OPERATIONS).map(({ method, path }) => `${method} ${path}`);
    expect(routesOf(forPages).map(({ RouteKey }) => RouteKey)).toEqual(expected);
    expect(routesOf(forPages).map(({ AuthorizationType }) => AuthorizationType)).toEqual(Array(6).fill('JWT'));
  });
});

test('the API has the stage’s name', () => {
  template.hasResourceProperties('AWS::ApiGatewayV2::Api', { Name: 'labelqueue-test' });
});

describe('the stage', () => {
  test('is throttled', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      DefaultRouteSettings: { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 },
    });
    templateOf({ api: { requestsPerSecond: 100, burst: 300 } }).hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 300 },
    });
  });

  test('logs each access as JSON, with its route and without its path and query', () => {
    const [stage] = Object.values(template.findResources('AWS::ApiGatewayV2::Stage'));
    const { Format, DestinationArn } = stage?.['Properties']?.AccessLogSettings ?? {};
    expect(JSON.parse(Format)).toMatchObject({
      requestId: '$context.requestId',
      route: '$context.routeKey',
      status: '$context.status',
    });
    expect(Format).not.toMatch(/path|query|header/i);
    expect(JSON.stringify(DestinationArn)).toContain('AccessLogs');
  });

  test('keeps its logs for the configured time', () => {
    templateOf({ api: {}, logRetentionDays: 7 }).allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    // Of the worker, the sweep, the API, and its accesses.
    template.resourceCountIs('AWS::Logs::LogGroup', 4);
  });
});

describe('the function', () => {
  const ofApi = { Handler: 'api.handler' };

  test('is in the same package, with its own memory and timeout', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      ...ofApi,
      MemorySize: 1_769,
      Timeout: 29,
      EphemeralStorage: { Size: 1_024 },
      ReservedConcurrentExecutions: Match.absent(),
      Environment: {
        Variables: Match.objectLike({
          POWERTOOLS_SERVICE_NAME: 'labelqueue-test-api',
          MALLOC_ARENA_MAX: '2',
          QUEUE_URL: Match.anyValue(),
          SOURCE_BUCKETS: Match.anyValue(),
        }),
      },
    });
    const [own, worker] = ['api.handler', 'index.handler'].map((Handler) =>
      Object.values(template.findResources('AWS::Lambda::Function', { Properties: { Handler } })),
    );
    expect(own?.[0]?.['Properties'].Code).toEqual(worker?.[0]?.['Properties'].Code);
  });

  test('takes memory, concurrency, model and labels from the configuration', () => {
    const model = { s3Uri: 's3://models/ours/', sha256: 'a'.repeat(64) };
    const api = { memoryMb: 3_008, reservedConcurrency: 5 };
    templateOf({ api, model, topK: 3, fetchUserAgent: 'me/1.0' }).hasResourceProperties('AWS::Lambda::Function', {
      ...ofApi,
      MemorySize: 3_008,
      ReservedConcurrentExecutions: 5,
      Environment: {
        Variables: Match.objectLike({ MODEL_S3_URI: model.s3Uri, TOP_K: '3', FETCH_USER_AGENT: 'me/1.0' }),
      },
    });
  });

  test('is invoked only by this API', () => {
    const permissions = Object.entries(template.findResources('AWS::Lambda::Permission')).flatMap(([name, resource]) =>
      name.startsWith('Api') ? [resource] : [],
    );
    expect(permissions.length).toBeGreaterThan(0);
    for (const { Properties } of permissions) {
      expect(Properties.Principal).toBe('apigateway.amazonaws.com');
      expect(JSON.stringify(Properties.SourceArn)).toContain('execute-api');
    }
  });
});

test('alarms of the API go to the same topic', () => {
  const names = (made: typeof template) =>
    Object.values(made.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties.AlarmName as string);
  const added = names(template).filter((name) => !names(templateOf()).includes(name));
  expect(added.toSorted()).toEqual(
    ['ApiFunctionErrors', 'ApiLatency', 'ApiServerErrors', 'ApiThrottles'].map((id) => `labelqueue-test-${id}`),
  );
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
});

test('its address is an output', () => {
  expect(Object.keys(template.findOutputs('*'))).toEqual(
    expect.arrayContaining(['ApiUrl', 'ApiFunctionName', 'ApiLogGroupName']),
  );
});
