import { expect, test } from '@jest/globals';
import { templateOf } from '../synthesized.ts';

type Environments = Record<string, { Properties: { Handler: string; Environment: { Variables: object } } }>;

function environments(config: object): [string, object][] {
  const functions = templateOf(config).findResources('AWS::Lambda::Function') as Environments;
  return Object.values(functions)
    .filter(({ Properties }) => Properties.Environment !== undefined)
    .map(({ Properties: { Handler, Environment } }) => [Handler, Environment.Variables]);
}

test('a stage with embeddings has them computed only by the worker', () => {
  for (const [handler, variables] of environments({ embedding: true, api: {}, chatbot: {} })) {
    if (handler === 'index.handler') expect(variables).toHaveProperty('EMBEDDING', '1');
    else expect(variables).not.toHaveProperty('EMBEDDING');
  }
});

test('a stage without embeddings has none', () => {
  for (const [, variables] of environments({})) expect(variables).not.toHaveProperty('EMBEDDING');
});
