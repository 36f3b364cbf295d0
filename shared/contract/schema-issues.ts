import type { z } from 'zod';

/** The unit of a limit, by zod's origin. */
const UNITS = new Map([
  ['string', 'character'],
  ['array', 'item'],
  ['set', 'item'],
]);

const TYPE_NAMES = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['undefined', 'nothing'],
  ['null', 'null'],
]);

/**
 * The issues of a schema in plain words, each after the field that it is about: `top: expected at least 1, got 0`.
 *
 * @param given the validated value; only its lengths, types and numbers are repeated
 */
export function issuesText(error: Pick<z.ZodError, 'issues'>, given: unknown): string {
  return error.issues
    .map((issue) => `${prefixOf(issue.path)}${issueText(issue, valueAt(given, issue.path))}`)
    .join('; ');
}

/** One issue, without its field. Messages of the schema itself are kept. */
function issueText(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'too_small':
      return hasOwnMessage(issue) ? issue.message : limitText('at least', issue.minimum, issue.origin, value);
    case 'too_big':
      return hasOwnMessage(issue) ? issue.message : limitText('at most', issue.maximum, issue.origin, value);
    case 'invalid_type':
      return hasOwnMessage(issue)
        ? issue.message
        : `expected ${nameOf(issue.expected)}, got ${received(issue.expected, value)}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'field' : 'fields'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    default:
      return issue.message.replace(/^Invalid [a-z]+: /, '');
  }
}

/** Whether the message is the schema's: zod's own messages have these prefixes. */
function hasOwnMessage({ message }: z.core.$ZodIssue): boolean {
  return !/^(Too (small|big)|Invalid input): /.test(message);
}

function limitText(bound: string, limit: number | bigint, origin: string, value: unknown): string {
  const unit = UNITS.get(origin);
  if (unit === undefined) return `expected ${bound} ${limit}, got ${amountOf(value)}`;
  return `expected ${bound} ${limit} ${unit}${limit === 1 ? '' : 's'}, got ${amountOf(value)}`;
}

function amountOf(value: unknown): string {
  if (typeof value === 'string' && /^-?\d{1,20}(\.\d{1,20})?$/.test(value)) return value;
  if (typeof value === 'string' || Array.isArray(value)) return String(value.length);
  return typeof value === 'number' ? String(value) : typeName(value);
}

/** For a number that is not an integer, its value is more useful than its type. */
function received(expected: string, value: unknown): string {
  return expected === 'int' && !Number.isNaN(Number(value)) ? amountOf(value) : typeName(value);
}

function nameOf(expected: string): string {
  return TYPE_NAMES.get(expected) ?? expected;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (JSON.isRawJSON(value)) return nameOf('number');
  return nameOf(Array.isArray(value) ? 'array' : typeof value);
}

function prefixOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return `${text.replace(/^\./, '')}: `;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    given,
  );
}
