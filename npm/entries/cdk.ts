/**
 * labelqueue as a construct of the AWS CDK.
 *
 * @packageDocumentation
 */

export * from '../../infra/index.ts';
