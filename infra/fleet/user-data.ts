import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Token } from 'aws-cdk-lib';
import { FLEET_METRICS, METRIC_NAMESPACE } from '../../shared/contract/metric-names.ts';
import { READY_SECONDS, STOP_TIMEOUT_SECONDS } from './drain.ts';

const HOST = join(import.meta.dirname, 'host');
const SCRIPTS = ['metadata', 'complete', 'give-up', 'lifecycle'];
const UNITS = ['worker', 'logs', 'lifecycle', 'give-up'].map((name) => `labelqueue-${name}.service`);
/** Stands alone on a line, which no setting can have: they have no line ends. */
const END = 'END_OF_FILE';

/** EC2's limit on user data before it is encoded. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html */
export const MAX_USER_DATA_BYTES = 16 * 1024;

/** The settings of an instance when it starts. Values may be tokens of CloudFormation. */
export type UserDataProps = {
  region: string;
  groupName: string;
  service: string;
  logGroupName: string;
  /** `s3://bucket/key` of the worker's package and of Node, both zips. */
  packageUrl: string;
  nodeUrl: string;
  /** Where the worker answers `/readyz`, on 127.0.0.1. */
  healthPort: number;
  /** The worker's settings. */
  environment: Readonly<Record<string, string>>;
};

/**
 * The script that an instance runs as root when it starts for the first time: it writes scripts, units and settings, and then
 * does what `host/start.sh` says. Nothing is fetched but the two zips, from the account's own bucket.
 */
export function userData({ environment, ...props }: UserDataProps): string {
  return [
    '#!/bin/bash',
    'set -Eeuo pipefail',
    'mkdir -p /etc/labelqueue /opt/labelqueue/bin',
    file('/etc/labelqueue/instance.env', environmentFile(instanceEnvironment(props))),
    file('/etc/labelqueue/worker.env', environmentFile(environment)),
    ...SCRIPTS.map((name) => file(`/opt/labelqueue/bin/${name}`, hostFile(`${name}.sh`))),
    'chmod 0755 /opt/labelqueue/bin/*',
    ...UNITS.map((name) => file(`/etc/systemd/system/${name}`, hostFile(name))),
    hostFile('start.sh'),
  ].join('\n');
}

function instanceEnvironment(props: Omit<UserDataProps, 'environment'>): Record<string, string> {
  return {
    AWS_REGION: props.region,
    GROUP_NAME: props.groupName,
    SERVICE: props.service,
    LOG_GROUP_NAME: props.logGroupName,
    PACKAGE_URL: props.packageUrl,
    NODE_URL: props.nodeUrl,
    METRIC_NAMESPACE,
    GIVEN_UP_METRIC: FLEET_METRICS.instancesGivenUp,
    HEALTH_PORT: String(props.healthPort),
    READY_SECONDS: String(READY_SECONDS),
  };
}

function file(path: string, content: string): string {
  return `cat > ${path} <<'${END}'\n${content.trimEnd()}\n${END}`;
}

/** As both systemd and bash read it: what either of them would take for something else stands behind a backslash. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${Token.isUnresolved(value) ? value : escaped(value)}"\n`)
    .join('');
}

/** What is not known yet are names and URLs of AWS, which have none of these characters. */
function escaped(value: string): string {
  return value.replaceAll(/["\\$`]/g, '\\$&');
}

function hostFile(name: string): string {
  return readFileSync(join(HOST, name), 'utf8').replaceAll('@STOP_TIMEOUT_SECONDS@', String(STOP_TIMEOUT_SECONDS));
}
