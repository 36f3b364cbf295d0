/** What policies allow, against what was asked of AWS. */
import type { CalledAction } from '../support/called-actions.ts';

export type Right = { action: string; resource: string };
export type Statement = { Action: string | string[]; Resource: unknown };

const list = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value]);

/** Each action of these statements with each of its resources. */
export function rightsIn(statements: readonly Statement[]): Right[] {
  return statements.flatMap(({ Action, Resource }) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => ({ action, resource: text(resource) }))),
  );
}

/** `dlq`, `queue`, `bucket`, or a pattern of keys behind it; what else there is as its own text. */
function text(resource: unknown): string {
  const json = JSON.stringify(resource);
  if (json.includes('JobsDeadLetterQueue')) return 'dlq';
  if (json.includes('JobsQueue')) return 'queue';
  if (json.includes('JobEventsDeadLetterQueue')) return 'unannounced ends';
  if (json.includes('JobEventsQueue')) return 'looks';
  if (!json.includes('ResultsBucket')) return json;
  return `bucket${/"(\/[^"]+)"/.exec(json)?.[1] ?? ''}`;
}

/** Whether one right is enough for a call. */
export function allows({ action, resource }: Right, call: CalledAction): boolean {
  if (action !== call.action) return false;
  if (typeof call.on === 'string') return resource === call.on;
  return resource.endsWith('*') && `bucket/${call.on.key}`.startsWith(resource.slice(0, -1));
}
