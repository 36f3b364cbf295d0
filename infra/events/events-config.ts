import { z } from 'zod';

/** A name, or a path, which begins with a slash. SSM keeps `aws` and `ssm` at their beginning to itself. */
const PARAMETER_NAME = /^(?!\/?(aws|ssm))([A-Za-z0-9_.-]+|(\/[A-Za-z0-9_.-]+)+)$/i;
/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html */
const MAX_PARAMETER_CHARS = 1_011;

/** How ends of jobs are announced, in a stage's file. */
export const jobEvents = z.strictObject({
  /** An SNS topic for those who want a mail or a message in a queue of another account. */
  topic: z.boolean().default(false),
  /** The name of a SecureString of SSM with the secret that webhooks are signed with; no webhooks without. */
  webhookSecretParameter: z
    .string()
    .max(MAX_PARAMETER_CHARS)
    .regex(PARAMETER_NAME, 'expected the name of a parameter of SSM; a path begins with a slash')
    .optional(),
});

/** How ends of jobs are announced beside EventBridge. */
export type JobEventsConfig = z.infer<typeof jobEvents>;
