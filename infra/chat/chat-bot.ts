import { createHash } from 'node:crypto';
import { Aws, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Code, IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnBot, CfnBotAlias, CfnBotVersion } from 'aws-cdk-lib/aws-lex';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { CHAT_TIMEOUT_SECONDS } from '../../shared/contract/limits.ts';
import { modelKeyStatements } from '../encryption.ts';
import { modelEnvironment, packagedFunction } from '../function/packaged-function.ts';
import { acknowledgeModelWildcards, logStatements, modelStatements } from '../function/permissions.ts';
import { released } from '../function/release.ts';
import type { StackConfig } from '../stage-config.ts';
import type { ChatbotConfig } from './chat-config.ts';
import { CHAT_LOCALES, localeOf } from './locales.ts';

export type ChatBotProps = {
  config: StackConfig;
  chatbot: ChatbotConfig;
  code: Code;
};

/**
 * A Lex V2 bot that says what is in a picture, with its function. It stores no conversation. Anyone may talk
 * to it, so its function reads no bucket of images: pictures come from public addresses.
 */
export class ChatBot extends Construct {
  readonly function: LambdaFunction;
  /** Of the function. */
  readonly logGroup: LogGroup;
  readonly botId: string;
  readonly botAliasId: string;

  constructor(scope: Construct, id: string, { config, chatbot, code }: ChatBotProps) {
    super(scope, id);
    const made = this.#addFunction(config, chatbot, code);
    this.function = made.function;
    this.logGroup = made.logGroup;
    const bot = this.#addBot(chatbot);
    const fn = released(this, this.function, { config, alarmId: 'ChatFunctionErrors' });
    const alias = this.#addAlias(bot, chatbot, fn);
    this.botId = bot.attrId;
    this.botAliasId = alias.attrBotAliasId;
    fn.addPermission('Lex', {
      principal: new ServicePrincipal('lexv2.amazonaws.com'),
      sourceArn: alias.attrArn,
    });
  }

  #addFunction(config: StackConfig, { memoryMb }: ChatbotConfig, code: Code) {
    const made = packagedFunction(this, {
      config,
      description: 'labelqueue: answers the chatbot',
      code,
      handler: 'chat.handler',
      memoryMb,
      timeoutSeconds: CHAT_TIMEOUT_SECONDS,
      policyName: 'chat',
      statements: (logGroup) => [
        ...logStatements(logGroup),
        ...modelStatements(config.model),
        ...modelKeyStatements(config),
      ],
      environment: {
        ...modelEnvironment(config),
        POWERTOOLS_SERVICE_NAME: `${config.serviceName}-chat`,
      },
    });
    acknowledgeModelWildcards(made.role, config);
    return made;
  }

  #addBot(chatbot: ChatbotConfig): CfnBot {
    // Lex wants a role. This bot speaks in text and logs nothing: its role may do nothing.
    const role = new Role(this, 'BotRole', {
      assumedBy: new ServicePrincipal('lexv2.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    });
    return new CfnBot(this, 'Bot', {
      name: Stack.of(this).stackName,
      description: 'labelqueue: says what is in a picture',
      roleArn: role.roleArn,
      autoBuildBotLocales: true,
      ...versionProps(chatbot),
    });
  }

  /**
   * An alias points at a version, and a version never changes: another content makes another one. The same content must
   * not, since Lex then gives the number of the version that there is, and the old one is deleted.
   */
  #addAlias(bot: CfnBot, chatbot: ChatbotConfig, fn: IFunction): CfnBotAlias {
    const content = createHash('sha256')
      .update(JSON.stringify(versionProps(chatbot)))
      .digest('hex')
      .slice(0, 8);
    const version = new CfnBotVersion(this, `Version${content}`, {
      botId: bot.attrId,
      botVersionLocaleSpecification: CHAT_LOCALES.map(({ localeId }) => ({
        localeId,
        botVersionLocaleDetails: { sourceBotVersion: 'DRAFT' },
      })),
    });
    return new CfnBotAlias(this, 'Alias', {
      botId: bot.attrId,
      botAliasName: 'live',
      botVersion: version.attrBotVersion,
      botAliasLocaleSettings: CHAT_LOCALES.map(({ localeId }) => ({
        localeId,
        botAliasLocaleSetting: {
          enabled: true,
          codeHookSpecification: {
            lambdaCodeHook: { codeHookInterfaceVersion: '1.0', lambdaArn: fn.functionArn },
          },
        },
      })),
    });
  }
}

/** What a version of the bot freezes. */
function versionProps({ childDirected, idleSessionMinutes }: ChatbotConfig) {
  return {
    dataPrivacy: { ChildDirected: childDirected },
    idleSessionTtlInSeconds: idleSessionMinutes * 60,
    botLocales: CHAT_LOCALES.map(localeOf),
  };
}
