import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { pythonPackages } from './python-packages.ts';

/** Prometheus' own parser for its text format, from its Python client. */
const PROMETHEUS_CLIENT = { name: 'prometheus-client-0.23.1', install: ['prometheus_client==0.23.1'] };

export type PrometheusSample = { name: string; labels: Record<string, string>; value: number };
/** The samples of a histogram have other names than their family: `_bucket`, `_sum`, `_count`. */
export type PrometheusFamily = { name: string; type: string; help: string; samples: PrometheusSample[] };

const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = [
    {
        # The parser takes the ending of counters off, as OpenMetrics does.
        'name': family.name + ('_total' if family.type == 'counter' else ''), 'type': family.type, 'help': family.documentation,
        'samples': [{'name': sample.name, 'labels': sample.labels, 'value': repr(sample.value)} for sample in family.samples],
    }
    for family in text_string_to_metric_families(sys.stdin.read())
]
json.dump(families, sys.stdout)
`;

/** @throws when the text is not in Prometheus' format */
export async function parsePrometheus(metrics: string): Promise<Map<string, PrometheusFamily>> {
  const PYTHONPATH = await pythonPackages(PROMETHEUS_CLIENT);
  const python = spawn('python3', ['-c', PARSE], { env: { ...process.env, PYTHONPATH } });
  python.stdin.end(metrics);
  const [output, errors] = await Promise.all([text(python.stdout), text(python.stderr)]);
  if (output === '') throw new Error(`expected Prometheus' text format: ${errors}`);
  const families: (Omit<PrometheusFamily, 'samples'> & {
    samples: (Omit<PrometheusSample, 'value'> & { value: string })[];
  })[] = JSON.parse(output);
  return new Map(
    families.map((family) => {
      const samples = family.samples.map((sample) => ({ ...sample, value: numberOf(sample.value) }));
      return [family.name, { ...family, samples }];
    }),
  );
}

function numberOf(python: string): number {
  return python === 'inf' ? Number.POSITIVE_INFINITY : Number(python);
}

/** The value of one series; undefined when there is none. */
export function sampleOf(
  families: ReadonlyMap<string, PrometheusFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const wanted = JSON.stringify(Object.entries(labels).toSorted());
  return samples.find(
    (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).toSorted()) === wanted,
  )?.value;
}
