import { describe, expect, test } from '@jest/globals';
import { EVERYTHING } from './stages.ts';
import { templateOf } from './synthesized.ts';

type Statement = {
  Effect: string;
  Action: string | string[];
  Resource?: unknown;
  Principal?: unknown;
  Condition?: unknown;
};

/** Actions that know no resources, or none beforehand: interfaces in a VPC, which Lambda makes; traces and metrics. */
const WITHOUT_RESOURCES =
  /^(ec2:(Create|Describe|Delete)NetworkInterfaces?|ec2:DescribeSubnets|ec2:(Una|A)ssignPrivateIpAddresses|xray:Put(TraceSegments|TelemetryRecords)|cloudwatch:PutMetricData)$/;

/** The only wildcards that a role may have, in resources alone, and why. */
const ALLOWED_WILDCARDS = [
  // Part files: their names are made of what is in them.
  /^<Results\w+\.Arn>\/(results|failures)\/\*$/,
  // Whatever the name of a job: its mark of cancellation, its description and its images.
  /^<Results\w+\.Arn>\/jobs\/\*(\/cancelled)?$/,
  // Which runs were cancelled, whatever the names of their jobs.
  /^<Results\w+\.Arn>\/cancelled\/\*$/,
  // What the API writes of a job, whatever its name.
  /^<Results\w+\.Arn>\/(jobs\/\*\/(job\.json|order-\*)|runs\/\*)$/,
  // The last count of a job that has limits, which workers write.
  /^<Results\w+\.Arn>\/jobs\/\*\/guard\.json$/,
  // How the runs of a job ended, which is announced.
  /^<Results\w+\.Arn>\/jobs\/\*\/end\.json$/,
  // Images of a bucket that the configuration names.
  /^arn:<AWS::Partition>:s3:::(photos|scans)\/\*$/,
  // The folder of the model that the configuration names.
  /^arn:<AWS::Partition>:s3:::models\/ours\/\*$/,
  // The fleet's group, which has a random id before its name.
  /^arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:\*:autoScalingGroupName\/labelqueue-test-fleet$/,
];

const resources = Object.entries(templateOf(EVERYTHING).toJSON()['Resources']) as [
  string,
  { Type: string; Properties: Record<string, unknown> },
][];

/** Every statement that gives a role of the stack a permission. */
const statements = resources.flatMap(([name, { Type, Properties }]) => {
  if (Type === 'AWS::IAM::Policy') return statementsOf(name, Properties['PolicyDocument']);
  if (Type !== 'AWS::IAM::Role') return [];
  const policies = (Properties['Policies'] ?? []) as { PolicyDocument: unknown }[];
  return policies.flatMap(({ PolicyDocument }) => statementsOf(name, PolicyDocument));
});

function statementsOf(name: string, document: unknown): [string, Statement][] {
  return (document as { Statement: Statement[] }).Statement.map((statement) => [name, statement]);
}

/** A resource of a template as one text: `<Queue.Arn>`, `arn:<AWS::Partition>:s3:::photos/*`. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[kind, argument]] = Object.entries(value as Record<string, unknown>) as [[string, unknown]];
  if (kind === 'Fn::Join') return ((argument as [string, unknown[]])[1] as unknown[]).map(text).join('');
  if (kind === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (kind === 'Ref') return `<${argument}>`;
  if (kind === 'Fn::Sub') return (argument as string).replaceAll(/\$\{(.+?)\}/g, '<$1>');
  throw new Error(`expected a Join, GetAtt, Ref or Sub, got ${kind}`);
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

test('there are statements to check', () => {
  expect(statements.length).toBeGreaterThanOrEqual(6);
});

test.each(statements)('%s: %j names each action', (_name, { Effect, Action, Condition }) => {
  // What is denied is denied to the functions' own code.
  if (Effect !== 'Allow') expect(JSON.stringify(Condition)).toContain('lambda:SourceFunctionArn');
  for (const action of list(Action)) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
});

test.each(statements)('%s: %j names its resources', (_name, { Action, Resource }) => {
  if (list(Action).every((action) => WITHOUT_RESOURCES.test(action as string))) return;
  for (const resource of list(Resource).map(text)) {
    const allowed = !/[*?]/.test(resource) || ALLOWED_WILDCARDS.some((pattern) => pattern.test(resource));
    expect({ resource, allowed }).toEqual({ resource, allowed: true });
  }
});

test('each allowed wildcard is in use', () => {
  const used = statements.flatMap(([, { Resource }]) => list(Resource).map(text));
  for (const pattern of ALLOWED_WILDCARDS) expect(used).toContainEqual(expect.stringMatching(pattern));
});

/** Whose policies are AWS's, since the stage asks for what needs them. */
const POLICIES_OF_AWS: [role: RegExp, policy: string][] = [
  [/^(Api|Chat)ReleaseServiceRole/, 'AWSCodeDeployRoleForLambdaLimited'],
  [/^FleetRole/, 'AmazonSSMManagedInstanceCore'],
];

test('no role has a managed policy, except CodeDeploy’s and Systems Manager’s', () => {
  for (const [name, { Type, Properties }] of resources) {
    if (Type !== 'AWS::IAM::Role') continue;
    const policy = POLICIES_OF_AWS.find(([role]) => role.test(name))?.[1];
    const others = JSON.stringify(Properties['ManagedPolicyArns'] ?? []);
    expect({ name, others }).toEqual({
      name,
      others: policy === undefined ? '[]' : expect.stringMatching(`^[^,]*,\\[[^\\]]*${policy}"\\]\\]\\}\\]$`),
    });
  }
});

test('a worker without source buckets reads only its own bucket', () => {
  const without = JSON.stringify(templateOf({ api: {} }).findResources('AWS::IAM::Role'));
  expect(without).not.toContain(':s3:::');
});

test('the API can change neither outcomes nor messages on a queue', () => {
  const ofApi = statements.filter(([name]) => name.startsWith('Api'));
  const named = ofApi.flatMap(([, { Action }]) => list(Action) as string[]);
  const actions = new Set(named.filter((action) => !WITHOUT_RESOURCES.test(action) && !action.startsWith('kms:')));
  expect([...actions].toSorted()).toEqual([
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
    'sqs:GetQueueAttributes',
    'sqs:SendMessage',
  ]);
  const written = ofApi.filter(([, { Action }]) => list(Action).includes('s3:PutObject'));
  const objects = written.flatMap(([, { Resource }]) => list(Resource).map(text));
  expect(objects).toEqual([
    expect.stringMatching(/\/jobs\/\*\/end\.json$/),
    expect.stringMatching(/\/jobs\/\*\/job\.json$/),
    expect.stringMatching(/\/jobs\/\*\/order-\*$/),
    expect.stringMatching(/\/runs\/\*$/),
  ]);
});

describe('the function that announces ends of jobs', () => {
  const of = statements.filter(([name]) => name.startsWith('JobEvents'));

  test('writes the ends of runs, and nothing else', () => {
    const written = of.filter(([, { Action }]) => list(Action).includes('s3:PutObject'));
    const objects = written.flatMap(([, { Resource }]) => list(Resource).map(text));
    expect(objects).toEqual([expect.stringMatching(/\/jobs\/\*\/end\.json$/)]);
  });

  test('can access one bus under one name, one topic, one secret and its own queue', () => {
    const actions = new Map(
      of.flatMap(([, { Action, Resource }]) => list(Action).map((action) => [action, list(Resource).map(text)])),
    );
    const options = /^(kms:|ec2:|xray:)/;
    expect([...actions.keys()].filter((action) => !options.test(String(action))).toSorted()).toEqual([
      'events:PutEvents',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      'sns:Publish',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'ssm:GetParameter',
    ]);
    expect(actions.get('events:PutEvents')).toEqual([expect.stringMatching(/:event-bus\/default$/)]);
    expect(actions.get('ssm:GetParameter')).toEqual([expect.stringMatching(/:parameter\/labelqueue\/webhooks$/)]);
    expect(actions.get('sqs:ReceiveMessage')).toEqual([expect.stringMatching(/^<JobEventsQueue\w+\.Arn>$/)]);
  });

  test('gets requests from the worker, the sweep, the fleet and the API, which may do nothing else to its queue', () => {
    const asking = statements.filter(([, { Resource }]) =>
      list(Resource)
        .map(text)
        .some((arn) => arn.startsWith('<JobEventsQueue')),
    );
    const others = asking.filter(([name]) => !name.startsWith('JobEvents'));
    expect(others.map(([, { Action }]) => Action)).toEqual(Array(4).fill('sqs:SendMessage'));
  });
});

describe('the function that sweeps the DLQ', () => {
  const of = statements.filter(([name]) => name.startsWith('Sweep'));
  const granted = of.flatMap(([, { Action, Resource }]) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => [String(action), text(resource)] as const)),
  );
  const on = (action: string) => granted.flatMap(([name, resource]) => (name === action ? [resource] : []));

  test('writes failures, and nothing else', () => {
    expect(on('s3:PutObject')).toEqual([expect.stringMatching(/^<Results\w+\.Arn>\/failures\/\*$/)]);
    expect(on('s3:DeleteObject')).toEqual([]);
  });

  test('receives only from the DLQ, puts letters back, and can neither delete nor send any', () => {
    const deadLetters = [expect.stringMatching(/^<JobsDeadLetterQueue\w+\.Arn>$/)];
    for (const action of ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility']) expect(on(action)).toEqual(deadLetters);
    const names = new Set(granted.flatMap(([name]) => (name.startsWith('sqs:') ? [name] : [])));
    expect([...names].toSorted()).toEqual([
      ...['sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage'],
    ]);
    // A look at the end of a run is all that it asks for.
    expect(on('sqs:SendMessage')).toEqual([expect.stringMatching(/^<JobEventsQueue\w+\.Arn>$/)]);
  });
});

describe('an instance of the fleet', () => {
  const of = statements.filter(([name]) => name.startsWith('FleetRole'));
  const actionsOn = (resource: RegExp) =>
    of.flatMap(([, { Action, Resource }]) =>
      list(Resource)
        .map(text)
        .some((one) => resource.test(one))
        ? list(Action)
        : [],
    );

  test('receives messages as Lambda does, and sends as the worker does', () => {
    expect(actionsOn(/^<JobsQueue\w+\.Arn>$/).toSorted()).toEqual([
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
    expect(actionsOn(/^<JobsDeadLetterQueue\w+\.Arn>$/).toSorted()).toEqual([
      'sqs:GetQueueAttributes',
      'sqs:SendMessage',
    ]);
  });

  test('reads two files of the bucket that deploys use, and nothing else of it', () => {
    const read = of.flatMap(([, { Resource }]) => list(Resource).map(text)).filter((one) => one.includes('-assets-'));
    expect(read.length).toBeGreaterThan(0);
    for (const one of read) expect(one).toMatch(/:s3:::cdk-\w+-assets-[^/]+\/[0-9a-f]{64}\.zip$/);
    expect(actionsOn(/-assets-/)).toEqual(['s3:GetObject']);
  });

  test('writes metrics of one namespace, and completes lifecycle actions of its own group', () => {
    const [[, metrics] = []] = of.filter(([, { Action }]) => list(Action).includes('cloudwatch:PutMetricData'));
    expect(metrics?.Condition).toEqual({ StringEquals: { 'cloudwatch:namespace': 'labelqueue' } });
    expect(actionsOn(/autoScalingGroup:/)).toEqual(['autoscaling:CompleteLifecycleAction']);
  });

  test('has otherwise the permissions of the worker on Lambda', () => {
    const ofWorker = statements.filter(([name]) => name.startsWith('ClassifyRole'));
    const objects = (all: typeof of) =>
      all
        .filter(([, { Action }]) => list(Action).some((action) => /^(s3|logs|kms):/.test(String(action))))
        .flatMap(([, { Action, Resource }]) =>
          list(Action).flatMap((action) => list(Resource).map((one) => `${action} ${text(one)}`)),
        )
        .filter((one) => !one.includes('-assets-'));
    expect(new Set(objects(of))).toEqual(new Set(objects(ofWorker)));
  });
});
