import { execFile } from 'node:child_process';
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

/** The schemas of Kubernetes, and what checks manifests by them. */
export const KUBERNETES_VALIDATE: PythonPackages = {
  name: 'kubernetes-validate-1.37.0',
  install: ['kubernetes-validate==1.37.0'],
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
