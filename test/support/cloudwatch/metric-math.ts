/** Values by time, in seconds since the start of an evaluation; a time without a value is missing. */
export type Series = ReadonlyMap<number, number>;
type Value = number | string | Series;

/** What an expression is computed of. */
export type MathContext = {
  /** Seconds. */
  period: number;
  /** All times of the range. */
  times: readonly number[];
  /** By the names in the expression. */
  series: ReadonlyMap<string, Series>;
  /** What CloudWatch makes of a value that is missing where another one is there is not documented: both must do. */
  missing: 'is missing' | 'is zero';
};

/**
 * CloudWatch's metric math, as far as this project uses it, by Amazon CloudWatch User Guide, "Using metric math". A series
 * without any value stays without any, whatever is done to it: `FILL()` fills gaps, and makes no series of nothing.
 */
export function evaluate(expression: string, context: MathContext): Series {
  const parser = new Parser(expression, context);
  const value = parser.whole();
  if (typeof value === 'string') throw new Error(`expected a number or a series, got ${value}`);
  return typeof value === 'number' ? new Map(context.times.map((time) => [time, value])) : value;
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|('[^']*')|(<=|>=|==|!=|[-+*/()<>,]))/y;

type Operation = (one: number, other: number) => number;
const COMPARISONS: Record<string, Operation> = {
  '<': (one, other) => Number(one < other),
  '>': (one, other) => Number(one > other),
  '<=': (one, other) => Number(one <= other),
  '>=': (one, other) => Number(one >= other),
  '==': (one, other) => Number(one === other),
  '!=': (one, other) => Number(one !== other),
};
/** From those that bind least to those that bind most. */
const LEVELS: Record<string, Operation>[] = [
  { OR: (one, other) => Number(one !== 0 || other !== 0) },
  { AND: (one, other) => Number(one !== 0 && other !== 0) },
  COMPARISONS,
  { '+': (one, other) => one + other, '-': (one, other) => one - other },
  { '*': (one, other) => one * other, '/': (one, other) => one / other },
];

/** Reads and computes in one go: each expression is used once. */
class Parser {
  readonly #tokens: string[];
  readonly #context: MathContext;

  constructor(expression: string, context: MathContext) {
    this.#tokens = tokensOf(expression);
    this.#context = context;
  }

  whole(): Value {
    const value = this.#level(0);
    if (this.#tokens.length > 0) throw new Error(`expected the end of the expression, got ${this.#tokens[0]}`);
    return value;
  }

  #level(level: number): Value {
    const operations = LEVELS[level];
    if (operations === undefined) return this.#operand();
    let value = this.#level(level + 1);
    while (Object.hasOwn(operations, this.#tokens[0] ?? '')) {
      const operation = operations[this.#tokens.shift() ?? ''] as Operation;
      value = this.#combine(operation, value, this.#level(level + 1));
    }
    return value;
  }

  #operand(): Value {
    const token = this.#tokens.shift() ?? '';
    if (/^\d/.test(token)) return Number(token);
    if (token.startsWith("'")) return token.slice(1, -1);
    if (token === '(') {
      const value = this.#level(0);
      this.#take(')');
      return value;
    }
    if (this.#tokens[0] === '(') return this.#call(token);
    const series = this.#context.series.get(token);
    if (series === undefined) throw new Error(`expected the name of a metric, got ${JSON.stringify(token)}`);
    return series;
  }

  #call(name: string): Value {
    this.#take('(');
    const given: Value[] = [];
    do given.push(this.#level(0));
    while (this.#tokens[0] === ',' && this.#tokens.shift());
    this.#take(')');
    const [first = 0, second = 0, third] = given;
    if (name === 'PERIOD') return this.#context.period;
    if (name === 'IF') return this.#choose(first, second, third);
    if (name === 'CEIL') return eachOf(first, Math.ceil);
    if (name === 'FILL') return this.#fill(first, second);
    if (name === 'RUNNING_SUM') return runningSum(first);
    throw new Error(`expected a function that is known here, got ${name}`);
  }

  #take(token: string): void {
    const got = this.#tokens.shift();
    if (got !== token) throw new Error(`expected ${token}, got ${got}`);
  }

  #combine(operation: Operation, one: Value, other: Value): Value {
    if (typeof one === 'number' && typeof other === 'number') return operation(one, other);
    const result = new Map<number, number>();
    if (isEmpty(one) || isEmpty(other)) return result;
    for (const time of this.#context.times) {
      const sides = [this.#at(one, time), this.#at(other, time)];
      const there = sides.filter((side) => side !== undefined).length;
      if (there < (this.#context.missing === 'is zero' ? 1 : 2)) continue;
      const [left = 0, right = 0] = sides;
      const value = operation(left, right);
      // What is divided by zero has no value.
      if (Number.isFinite(value)) result.set(time, value);
    }
    return result;
  }

  #choose(condition: Value, yes: Value, no: Value | undefined): Value {
    const result = new Map<number, number>();
    for (const time of this.#context.times) {
      const met = this.#at(condition, time);
      if (met === undefined) continue;
      const chosen = met !== 0 ? yes : no;
      const value = chosen === undefined ? undefined : this.#at(chosen, time);
      if (value !== undefined) result.set(time, value);
    }
    return result;
  }

  #fill(series: Value, filling: Value): Value {
    if (isEmpty(series)) return new Map();
    const values = this.#context.times.map(
      (time) => [time, this.#at(series, time) ?? this.#at(filling, time)] as const,
    );
    return new Map(values.flatMap(([time, value]) => (value === undefined ? [] : [[time, value]])));
  }

  #at(value: Value, time: number): number | undefined {
    if (typeof value === 'string') throw new Error(`expected a number or a series, got ${value}`);
    return typeof value === 'number' ? value : value.get(time);
  }
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const start = TOKEN.lastIndex;
    const token = TOKEN.exec(expression)?.slice(1).find(Boolean);
    if (token === undefined) throw new Error(`expected metric math, got ${expression.slice(start)}`);
    tokens.push(token);
  }
  return tokens;
}

function isEmpty(value: Value): boolean {
  return typeof value === 'object' && value.size === 0;
}

function eachOf(value: Value, compute: (one: number) => number): Value {
  if (typeof value === 'string') throw new Error('expected a number or a series');
  if (typeof value === 'number') return compute(value);
  return new Map([...value].map(([time, one]) => [time, compute(one)]));
}

function runningSum(value: Value): Series {
  if (typeof value !== 'object') throw new Error('expected a series');
  let sum = 0;
  const sums = new Map<number, number>();
  for (const [time, more] of value) {
    sum += more;
    sums.set(time, sum);
  }
  return sums;
}
