/** Samples that run `work.mjs` of the package on Docker, Kubernetes and ECS. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments, type ScalarTag } from 'yaml';
import { WORKER_PROCESS_ENVIRONMENT } from '../../shared/runtime/worker-process.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { workSettingsFrom } from '../../worker/work-settings.ts';
import { type AlarmProperties, statesOf } from '../support/cloudwatch/alarm.ts';
import { hadolint } from '../support/hadolint.ts';
import { kubeconform, writeKubernetesSchemas } from '../support/kubernetes/kubeconform.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const sample = (name: string) => readFileSync(join(SAMPLES, name), 'utf8');

const [folder] = await sharedByTests(createTemporaryFolder());

/** Placeholders as somebody fills them in. */
const filled = (text: string) => text.replaceAll('REGION', 'eu-west-1').replaceAll('value: BUCKET', 'value: results');

describe('the Dockerfile', () => {
  const instructions = sample('docker/Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));

  test("has the variables that the worker's processes and the loop need", () => {
    const [, given = ''] = /^ENV (.*)$/m.exec(sample('docker/Dockerfile')) ?? [];
    const variables = Object.fromEntries(
      given.split(' ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    expect(variables).toMatchObject(WORKER_PROCESS_ENVIRONMENT);
    const settings = workSettingsFrom({ ...variables, ...QUEUES });
    expect(settings).toMatchObject({ port: 9_464, host: '0.0.0.0' });
  });

  test('is short, does not run as root, and passes signals to the worker', () => {
    expect(instructions.length).toBeLessThanOrEqual(10);
    // As a number: Kubernetes refuses a name with `runAsNonRoot`, because it cannot see whose it is.
    expect(instructions).toContainEqual('USER 1000:1000');
    expect(instructions.at(-1)).toMatch(/^ENTRYPOINT \["node", "[^"]+work\.mjs"\]$/);
  });
});

describe('hadolint', () => {
  const dockerfile = sample('docker/Dockerfile');

  test('finds nothing in the Dockerfile', async () => {
    expect(await hadolint(dockerfile)).toBe('');
  }, 300_000);

  test.each([
    ['the tag latest', /^FROM .*$/m, 'FROM node:latest', 'DL3007'],
    ['a base without a tag', /^FROM .*$/m, 'FROM node', 'DL3006'],
    ['a user by name', /^USER .*$/m, 'USER node', 'DL3066'],
    ['an entry point through a shell', /^ENTRYPOINT .*$/m, 'ENTRYPOINT node /opt/labelqueue/work.mjs', 'DL3025'],
  ])('would find %s', async (_, right, wrong, rule) => {
    expect(await hadolint(dockerfile.replace(right, wrong))).toContain(rule);
  });
});

const QUEUES = {
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/queue',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/111122223333/dlq',
  RESULTS_BUCKET: 'results',
};

type Variable = { name: string; value: string };
type Deployment = {
  spec: {
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        containers: { env: Variable[]; resources: { requests: { cpu: string } } }[];
      };
    };
  };
};

describe('the manifests for Kubernetes', () => {
  const documents = parseAllDocuments(filled(sample('kubernetes/worker.yaml'))).map((document) => document.toJS());
  const byKind = (kind: string) => documents.find((document) => document.kind === kind);
  const pod = (byKind('Deployment') as Deployment).spec.template.spec;

  const schemas = join(folder.path, 'schemas');
  beforeAll(() => writeKubernetesSchemas(schemas), 300_000);

  test('kubeconform finds nothing in them', async () => {
    expect(await kubeconform(filled(sample('kubernetes/worker.yaml')), schemas)).toBe('');
  }, 300_000);

  test.each([
    [
      'a misspelled field of the pod',
      'terminationGracePeriodSeconds:',
      'terminationGracePeriod:',
      'terminationGracePeriod',
    ],
    ['a misspelled field of the ScaledObject', 'minReplicaCount:', 'minReplicas:', 'minReplicas'],
    [
      'a misspelled field of its autoscaler',
      'stabilizationWindowSeconds:',
      'stabilisationSeconds:',
      'stabilisationSeconds',
    ],
    ['a number that KEDA expects as text', 'queueLength: "50"', 'queueLength: 50', 'want string'],
    ['an unknown provider of a TriggerAuthentication', 'provider: aws', 'provider: irsa', 'must be one of'],
    ['a kind without a schema', 'kind: ScaledObject', 'kind: ScaledJobs', 'could not find schema for ScaledJobs'],
  ])('kubeconform would find %s', async (_, right, wrong, found) => {
    const manifests = filled(sample('kubernetes/worker.yaml'));
    expect(manifests).toContain(right);
    expect(await kubeconform(manifests.replace(right, wrong), schemas)).toContain(found);
  });

  test('give the worker valid settings, one process per processor, and time to drain', () => {
    const [container] = pod.containers;
    const variables = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    const { processes, drainSeconds } = workSettingsFrom(variables);
    expect(String(processes)).toBe(container?.resources.requests.cpu);
    expect(drainSeconds).toBeLessThan(pod.terminationGracePeriodSeconds - 10);
  });

  test('scale the existing deployment by messages in flight, from 0', () => {
    const { spec } = byKind('ScaledObject');
    expect(spec.scaleTargetRef.name).toBe(byKind('Deployment').metadata.name);
    expect(spec.minReplicaCount).toBe(0);
    expect(spec.triggers[0].metadata).toMatchObject({ scaleOnInFlight: 'true', activationQueueLength: '0' });
    expect(byKind('Deployment').spec).not.toHaveProperty('replicas');
    expect(spec.triggers[0].authenticationRef.name).toBe(byKind('TriggerAuthentication').metadata.name);
  });
});

function statesIn({ Properties }: { Properties: object }, values: Record<string, (number | undefined)[]>) {
  const alarm = { DatapointsToAlarm: 1, ...Properties } as AlarmProperties;
  const { EvaluationPeriods } = alarm;
  const given = { values: new Map(Object.entries(values)), missing: 'is missing' as const };
  return statesOf({ ...alarm, DatapointsToAlarm: EvaluationPeriods }, given);
}

describe('the template for ECS', () => {
  const tags: ScalarTag[] = ['!Ref', '!Sub'].map((tag) => ({ tag, resolve: (text) => text }));
  const template = parse(sample('ecs/worker.yaml'), { customTags: tags });
  const [container] = template.Resources.Task.Properties.ContainerDefinitions;

  test('gives the worker valid settings and time to drain', () => {
    const given = Object.fromEntries(
      container.Environment.map(({ Name, Value }: { Name: string; Value: string }) => [Name, Value]),
    );
    const { drainSeconds, processes } = workSettingsFrom({ ...given, ...QUEUES, JOB_END_QUEUE_URL: '' });
    expect(Object.keys(given)).toEqual(expect.arrayContaining(Object.keys(QUEUES)));
    expect(drainSeconds).toBeLessThan(container.StopTimeout - 10);
    expect(processes * 1_024).toBe(Number(template.Resources.Task.Properties.Cpu));
  });

  test('scales by waiting messages, from 0 and to 0', () => {
    expect(template.Resources.Target.Properties.MinCapacity).toBe(0);
    expect(template.Resources.Service.Properties).not.toHaveProperty('DesiredCount');
    const { Backlog, Empty, ScaleOut, ScaleIn } = template.Resources;
    const { AdjustmentType } = ScaleOut.Properties.StepScalingPolicyConfiguration;
    expect(AdjustmentType).toBe('ChangeInCapacity');
    expect(ScaleIn.Properties.StepScalingPolicyConfiguration.StepAdjustments[0].ScalingAdjustment).toBe(0);
    // Messages in flight are reported only while there are some: a rule that looks at them has no figures without.
    const taken = { taken: [undefined, undefined, undefined] };
    expect(statesIn(Backlog, { ...taken, waiting: [0, 1, 0] })).toEqual(['OK', 'ALARM', 'OK']);
    const minutes = (value: number) => Array.from({ length: 10 }, () => value);
    expect(statesIn(Empty, { ...taken, waiting: minutes(0), received: minutes(0) }).at(-1)).toBe('ALARM');
    expect(statesIn(Empty, { ...taken, waiting: minutes(0), received: minutes(1) }).at(-1)).toBe('OK');
  });

  test('reports metrics and job ends like the stage’s own worker', () => {
    const given = container.Environment.map(({ Name }: { Name: string }) => Name);
    expect(given).toEqual(expect.arrayContaining(['POWERTOOLS_SERVICE_NAME', 'JOB_END_QUEUE_URL']));
  });
});
