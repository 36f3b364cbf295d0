/** Takes an event of the loop: a sentence, and figures that belong to it. */
export type WorkLog = (level: 'INFO' | 'WARN' | 'ERROR', message: string, fields?: Record<string, unknown>) => void;

/** Writes events as JSON lines, with the fields that the worker's own lines have (Powertools). */
export function jsonLog(service: string, onLine: (line: string) => void): WorkLog {
  return (level, message, fields = {}) =>
    onLine(JSON.stringify({ level, message, timestamp: new Date().toISOString(), service, ...fields }));
}
