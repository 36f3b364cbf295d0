/** The messages of other producers: URLs, or objects with URLs; `id` is optional. */
import { z } from 'zod';
import { type ImageRef, imageRefSchema } from './image-ref.ts';
import { MAX_IMAGES_PER_MESSAGE } from './limits.ts';

/** An image as another producer names it. */
export type ExternalImage = { url: string; id?: string | undefined; meta?: ImageRef['meta'] | undefined };

const { url, meta } = imageRefSchema.shape;
const idAndMeta = { id: imageRefSchema.shape.id.optional(), meta };

const bareForm = url.transform((bare): ExternalImage => ({ url: bare }));
/** Forms of images by their characteristic field. */
const imageForms: ReadonlyMap<string, z.ZodType<ExternalImage>> = new Map<string, z.ZodType<ExternalImage>>([
  ['url', z.object({ url, ...idAndMeta })],
  [
    'imagelink',
    z.object({ imagelink: url, ...idAndMeta }).transform(({ imagelink, ...rest }) => ({ url: imagelink, ...rest })),
  ],
]);
const imageSchema = z
  .unknown()
  .transform((image, context) =>
    firstThatFits(
      image,
      typeof image === 'string' ? [bareForm] : formsOf(image, imageForms),
      'expected a URL, or an object with url or imagelink',
      context,
    ),
  );

const messageForms: ReadonlyMap<string, z.ZodType<ExternalImage[]>> = new Map<string, z.ZodType<ExternalImage[]>>([
  [
    'images',
    z
      .object({
        images: z
          .array(imageSchema, 'expected a list')
          .min(1, `expected 1 to ${MAX_IMAGES_PER_MESSAGE} images`)
          .max(MAX_IMAGES_PER_MESSAGE, `expected 1 to ${MAX_IMAGES_PER_MESSAGE} images`),
      })
      .transform(({ images }) => images),
  ],
  ...[...imageForms].map(([field, form]) => [field, form.transform((image) => [image])] as const),
]);

/** A message of another producer; reports the issues of the forms whose fields it has. */
export const externalSchema = z
  .unknown()
  .transform((message, context) =>
    firstThatFits(
      message,
      formsOf(message, messageForms),
      `expected v, url, imagelink, images (1 to ${MAX_IMAGES_PER_MESSAGE}) or Records, or an envelope of SNS or EventBridge`,
      context,
    ),
  );

/** Whether an object has a field of one of these forms. */
export function isExternal(message: object): boolean {
  return formsOf(message, messageForms).length > 0;
}

function formsOf<Form>(value: unknown, forms: ReadonlyMap<string, Form>): Form[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...forms].filter(([field]) => Object.hasOwn(value, field)).map(([, form]) => form);
}

/** A union would only report that nothing matches; here it is known which forms were intended. */
function firstThatFits<Output>(
  value: unknown,
  forms: z.ZodType<Output>[],
  otherwise: string,
  context: z.RefinementCtx,
): Output {
  const results = forms.map((form) => form.safeParse(value));
  const fitting = results.find(({ success }) => success);
  if (fitting?.success) return fitting.data;
  const issues = results.flatMap(({ error }) => error?.issues ?? []);
  for (const { message, path } of issues) context.addIssue({ code: 'custom', message, path });
  if (issues.length === 0) context.addIssue(otherwise);
  return z.NEVER;
}
