/**
 * What producers write and consumers read, as schemas of zod 4 and as types. The same as JSON Schema:
 * `labelqueue/schemas/message.json`, `labelqueue/schemas/result-line.json` and `labelqueue/schemas/failure-line.json`.
 *
 * @packageDocumentation
 */

export { ERROR_CODES, type ErrorCode, type ErrorReport, type Stage } from '../../shared/contract/error-codes.ts';
export { type ImageRef, imageRefSchema } from '../../shared/contract/image-ref.ts';
export { failureLineSchema, resultLineSchema } from '../../shared/contract/line-schemas.ts';
export { jobNameSchema, messageSchema } from '../../shared/contract/message.ts';
export type { FailureLine, ImageFacts, Label, ModelId, ResultLine } from '../../shared/contract/result-line.ts';
