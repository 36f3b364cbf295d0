import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { templateOf } from '../synthesized.ts';

const template = templateOf({ chatbot: { childDirected: true, idleSessionMinutes: 10 } });
const LOCALES = ['en_US', 'ja_JP'];

test('a stage that does not ask for a chatbot has none', () => {
  const without = templateOf();
  for (const type of ['Bot', 'BotVersion', 'BotAlias']) without.resourceCountIs(`AWS::Lex::${type}`, 0);
  without.resourcePropertiesCountIs('AWS::Lambda::Function', { Handler: 'chat.handler' }, 0);
  expect(without.findOutputs('BotId')).toEqual({});
});

describe('the bot', () => {
  test('has the configured description', () => {
    template.hasResourceProperties('AWS::Lex::Bot', {
      DataPrivacy: { ChildDirected: true },
      IdleSessionTTLInSeconds: 600,
    });
    templateOf({ chatbot: {} }).hasResourceProperties('AWS::Lex::Bot', {
      DataPrivacy: { ChildDirected: false },
      IdleSessionTTLInSeconds: 300,
    });
  });

  test.each(LOCALES)('has utterances, the slot, its question and both hooks in %s', (LocaleId) => {
    template.hasResourceProperties('AWS::Lex::Bot', {
      BotLocales: Match.arrayWith([
        Match.objectLike({
          LocaleId,
          Intents: [
            Match.objectLike({
              Name: 'DescribeImage',
              SampleUtterances: Match.arrayWith([{ Utterance: Match.anyValue() }]),
              Slots: [
                Match.objectLike({
                  Name: 'ImageUrl',
                  SlotTypeName: 'AMAZON.FreeFormInput',
                  ValueElicitationSetting: Match.objectLike({ SlotConstraint: 'Required' }),
                }),
              ],
              DialogCodeHook: { Enabled: true },
              FulfillmentCodeHook: { Enabled: true },
            }),
            Match.objectLike({
              ParentIntentSignature: 'AMAZON.FallbackIntent',
              FulfillmentCodeHook: { Enabled: true },
            }),
          ],
        }),
      ]),
    });
  });

  test('has an alias whose locales call the function, and only the alias may call it', () => {
    const [functionId] = Object.keys(
      template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'chat.handler' } }),
    );
    const [aliasId] = Object.keys(template.findResources('AWS::Lex::BotAlias'));
    template.hasResourceProperties('AWS::Lex::BotAlias', {
      BotAliasLocaleSettings: LOCALES.map((LocaleId) => ({
        LocaleId,
        BotAliasLocaleSetting: {
          Enabled: true,
          CodeHookSpecification: {
            LambdaCodeHook: {
              CodeHookInterfaceVersion: '1.0',
              LambdaArn: { 'Fn::GetAtt': [functionId, 'Arn'] },
            },
          },
        },
      })),
      ConversationLogSettings: Match.absent(),
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'lexv2.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [aliasId, 'Arn'] },
    });
  });

  test('has a role without permissions', () => {
    const roles = template.findResources('AWS::IAM::Role', {
      Properties: {
        AssumeRolePolicyDocument: {
          Statement: [
            {
              Principal: { Service: 'lexv2.amazonaws.com' },
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            },
          ],
        },
      },
    });
    const [role] = Object.values(roles);
    expect(Object.keys(roles)).toHaveLength(1);
    expect(role?.['Properties']).not.toHaveProperty('Policies');
    expect(role?.['Properties']).not.toHaveProperty('ManagedPolicyArns');
  });
});

test('its function reads no bucket of images, whatever the configuration says', () => {
  const written = JSON.stringify(
    templateOf({ chatbot: {}, sourceBuckets: ['photos'] }).findResources('AWS::IAM::Role', {
      Properties: { Policies: [{ PolicyName: 'chat' }] },
    }),
  );
  expect(written).toContain('logs:PutLogEvents');
  expect(written).not.toMatch(/sqs:|s3:|photos|ResultsBucket/);
});

describe('the version', () => {
  const versionOf = (chatbot: object, config: object = {}) =>
    Object.keys(templateOf({ ...config, chatbot }).findResources('AWS::Lex::BotVersion'));

  test('is a new one when something that it contains changes', () => {
    expect(versionOf({})).toHaveLength(1);
    expect(versionOf({ childDirected: true })).not.toEqual(versionOf({}));
    expect(versionOf({ idleSessionMinutes: 6 })).not.toEqual(versionOf({}));
  });

  test('stays the same when only the function changes', () => {
    expect(versionOf({ memoryMb: 3_538 }, { topK: 3 })).toEqual(versionOf({}));
  });
});
