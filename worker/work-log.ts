/** Logs an event of the loop: a message and its fields. */
export type WorkLog = (level: 'INFO' | 'WARN' | 'ERROR', message: string, fields?: Record<string, unknown>) => void;

/** Writes events as JSON lines, with the same fields as the worker's lines (Powertools). */
export function jsonLog(service: string, onLine: (line: string) => void): WorkLog {
  return (level, message, fields = {}) =>
    onLine(JSON.stringify({ level, message, timestamp: new Date().toISOString(), service, ...fields }));
}
