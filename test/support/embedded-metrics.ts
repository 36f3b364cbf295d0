/** One metric as a function wrote it in CloudWatch's embedded metric format. */
export type EmbeddedMetric = { namespace: string; name: string; dimensions: Record<string, string>; values: number[] };

type EmbeddedLine = {
  _aws?: {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
  [name: string]: unknown;
};

/** The JSON lines of a function's log; what others have written between them is left out. */
export function jsonLines(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** What CloudWatch makes of a log: a metric for each name and set of dimensions in a line. */
export function embeddedMetrics(log: string): EmbeddedMetric[] {
  return jsonLines(log).flatMap((line) => metricsIn(line as EmbeddedLine));
}

function metricsIn(line: EmbeddedLine): EmbeddedMetric[] {
  return (line._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) =>
      Metrics.map(({ Name: name }) => ({
        namespace,
        name,
        dimensions: Object.fromEntries(names.map((dimension) => [dimension, String(line[dimension])])),
        values: [line[name] as number | number[]].flat(),
      })),
    ),
  );
}
