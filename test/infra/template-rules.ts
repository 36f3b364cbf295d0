/** Rules of a template, evaluated as CloudFormation does it: neither moto nor cfn-lint does. */

/** A parameter is a list here; one that is not given is `['']`. */
export type ListParameters = Readonly<Record<string, readonly string[]>>;
type Expression = Record<string, unknown>;
export type Rules = Record<
  string,
  { RuleCondition?: Expression; Assertions: { Assert: Expression; AssertDescription: string }[] }
>;

/** @returns the descriptions of the assertions that do not hold */
export function brokenRules(rules: Rules, parameters: ListParameters): string[] {
  return Object.values(rules)
    .filter(({ RuleCondition }) => RuleCondition === undefined || holds(RuleCondition, parameters))
    .flatMap(({ Assertions }) => Assertions.filter(({ Assert }) => !holds(Assert, parameters)))
    .map(({ AssertDescription }) => AssertDescription);
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html */
function holds(expression: Expression, parameters: ListParameters): boolean {
  const [[name, operands] = []] = Object.entries(expression) as [string, unknown[]][];
  if (name === 'Fn::Not') return !holds(operands?.[0] as Expression, parameters);
  if (name === 'Fn::EachMemberEquals') {
    const [{ Ref }, wanted] = operands as [{ Ref: string }, string];
    return (parameters[Ref] ?? ['']).every((member) => member === wanted);
  }
  throw new Error(`expected a function that rules have and that is used here, got ${name}`);
}
