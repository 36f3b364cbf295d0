import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { MAX_UPLOAD_BYTES } from '../../../shared/contract/limits.ts';
import type { Classification } from '../../../shared/contract/result-line.ts';
import { labelText } from '../../../shared/contract/result-line.ts';
import type { Answer, ApiDependencies, ApiRequest, Operation } from '../operation.ts';
import { imageProblem, ProblemResponse, schemaProblem } from '../problem.ts';
import { problemResponses, UPLOAD_ERRORS, URL_ERRORS } from '../problem-responses.ts';
import { classifiedSchema, uploadQuerySchema, uploadSchema, urlQuerySchema } from '../schemas.ts';

const CLASSIFIED = {
  '200': { description: 'the labels of the image', content: { 'application/json': { schema: classifiedSchema } } },
} as const;

/** `GET /classify?url=…` */
export const classifyUrl: Operation = {
  document: {
    operationId: 'classifyUrl',
    summary: 'Label the image at a URL.',
    requestParams: { query: urlQuerySchema },
    responses: { ...CLASSIFIED, ...problemResponses(['invalid_request', ...URL_ERRORS]) },
  },
  async handle(request, dependencies) {
    const query = urlQuerySchema.safeParse(request.query);
    if (!query.success) return schemaProblem(query.error, request.query);
    const { url, imagelink, top } = query.data;
    const fetch = () => dependencies.fetch(url ?? imagelink ?? '', request.signal);
    return classified(fetch, top, request, dependencies);
  },
};

/** For the document; all other types are accepted too, except those that API Gateway passes on as text. */
const UPLOAD_TYPES = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/avif',
  'image/tiff',
  'application/octet-stream',
];

/** `POST /classify` with the image as its body. */
export const classifyBody: Operation = {
  document: {
    operationId: 'classifyBody',
    summary: 'Label the image in the body.',
    requestParams: { query: uploadQuerySchema },
    requestBody: {
      required: true,
      content: Object.fromEntries(UPLOAD_TYPES.map((type) => [type, { schema: uploadSchema }])),
    },
    responses: {
      ...CLASSIFIED,
      ...problemResponses(['invalid_request', 'body_too_large', 'unsupported_media_type', ...UPLOAD_ERRORS]),
    },
  },
  async handle(request, dependencies) {
    const query = uploadQuerySchema.safeParse(request.query);
    if (!query.success) return schemaProblem(query.error, request.query);
    const { mediaType, body } = request;
    if (isText(mediaType)) {
      return new ProblemResponse(
        'unsupported_media_type',
        `expected image/* or application/octet-stream, got ${mediaType}`,
      );
    }
    if (body.length > MAX_UPLOAD_BYTES) {
      return new ProblemResponse('body_too_large', `expected at most ${MAX_UPLOAD_BYTES} bytes, got ${body.length}`);
    }
    return classified(async () => body, query.data.top, request, dependencies);
  },
};

/** API Gateway passes such bodies on as text, which corrupts the bytes of an image. */
function isText(mediaType: string): boolean {
  return /^(text|multipart)\/|^application\/(json|xml|javascript)$|\+(json|xml)$/.test(mediaType);
}

async function classified(
  fetch: () => Promise<Buffer | ImageFailure>,
  top: number | undefined,
  { time, signal }: ApiRequest,
  { classifier, model, topK }: ApiDependencies,
): Promise<Answer | ProblemResponse> {
  const outcome = await classifier.classify(fetch, time, signal);
  if (outcome === 'deadline')
    return new ProblemResponse('deadline_exceeded', 'expected the image to be labeled in time');
  if (outcome instanceof ImageFailure) return imageProblem(outcome);
  return { status: 200, body: answerBody(outcome, top ?? topK, model) };
}

function answerBody({ labels, image }: Classification, top: number, model: ApiDependencies['model']) {
  const [best] = labels;
  return { return: best === undefined ? null : labelText(best), labels: labels.slice(0, top), image, model };
}
