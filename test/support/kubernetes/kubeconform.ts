import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goProgram, KUBECONFORM } from '../go-program.ts';
import { KEDA_MODELS, KUBERNETES_VALIDATE, pythonPackages } from '../python-packages.ts';

const run = promisify(execFile);

/** The newest Kubernetes of the package; strict, so that a field that is not in a schema is an error. */
const KUBERNETES = 'kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict';

/** Of Kubernetes' own kinds, the one of the samples. */
const DEPLOYMENT = 'deployment-apps-v1.json';

/**
 * Writes schemas of the kinds that the samples use, those of Kubernetes and those of KEDA. kubeconform reads them from disk and
 * fetches nothing.
 *
 * @param folder exists
 */
export async function writeKubernetesSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all([writeKubernetes(folder), writeKeda(folder)]);
}

async function writeKubernetes(folder: string): Promise<void> {
  const source = join(await pythonPackages(KUBERNETES_VALIDATE), KUBERNETES);
  for (const name of ['_definitions.json', DEPLOYMENT]) {
    const { $id, ...schema } = JSON.parse(await readFile(join(source, name), 'utf8'));
    // Without their addresses they refer to each other by file name; with them, kubeconform would fetch what they refer to.
    const text = JSON.stringify(schema).replaceAll('/api/_definitions.json', '_definitions.json');
    await writeFile(join(folder, name), text);
  }
}

async function writeKeda(folder: string): Promise<void> {
  const env = { ...process.env, PYTHONPATH: await pythonPackages(KEDA_MODELS) };
  const { stdout } = await run('python3', [join(import.meta.dirname, 'keda-schemas.py')], { env });
  for (const [kind, schema] of Object.entries(JSON.parse(stdout))) {
    await writeFile(join(folder, `${kind.toLowerCase()}-keda-v1alpha1.json`), JSON.stringify(schema));
  }
}

/**
 * @param manifests YAML
 * @param schemas a folder of `writeKubernetesSchemas`
 * @returns what kubeconform prints of each manifest that is invalid or of a kind without a schema; empty when all are valid
 */
export async function kubeconform(manifests: string, schemas: string): Promise<string> {
  const location = join(schemas, '{{.ResourceKind}}{{.KindSuffix}}.json');
  const checked = run(await goProgram(KUBECONFORM), ['-strict', '-schema-location', location, '-']);
  checked.child.stdin?.end(manifests);
  return checked.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; message: string }) => error.stdout || error.message,
  );
}
