import type { Measurement } from './measured-handler.ts';

/** Finds the measurements in the log of a `measured-handler`, which comes in pieces of any length. */
export function measurementReader(onMeasurement: (measurement: Measurement) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{"measured":')) onMeasurement(JSON.parse(line).measured as Measurement);
    }
  };
}
