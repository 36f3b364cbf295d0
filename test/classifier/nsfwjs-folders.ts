/** The models that the npm package nsfwjs carries, as model folders: MobileNetV2s of five classes. */
import { createRequire } from 'node:module';
import { NSFW_CLASSES } from '../../node_modules/nsfwjs/dist/esm/nsfw_classes.js';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';

const require = createRequire(import.meta.url);

/** A layers model, and a graph model of another training. */
export const NSFWJS_MODELS = { MobileNetV2: 'mobilenet_v2', MobileNetV2Mid: 'mobilenet_v2_mid' } as const;
export type NsfwjsModel = keyof typeof NSFWJS_MODELS;

/** The package has the files of a model as modules: model.json as an object, the weights as base64. */
export async function nsfwjsFolder(name: NsfwjsModel, config: Record<string, unknown> = {}): Promise<TemporaryFolder> {
  const moduleOf = (file: string) =>
    require(`../../node_modules/nsfwjs/dist/models/${NSFWJS_MODELS[name]}/${file}.min.js`);
  const model: { weightsManifest: { paths: string[] }[] } = moduleOf('model');
  const folder = await createTemporaryFolder();
  await folder.write('model.json', JSON.stringify(model));
  for (const path of model.weightsManifest.flatMap(({ paths }) => paths)) {
    await folder.write(path, Buffer.from(moduleOf(path), 'base64'));
  }
  const classifier = {
    name: `nsfwjs-${NSFWJS_MODELS[name]}`,
    version: '4.3.0',
    license: 'MIT',
    labels: Object.values(NSFW_CLASSES),
    inputSize: 224,
    crop: 1,
    interpolation: 'linear',
    range: [0, 1],
  };
  await folder.write('classifier.json', JSON.stringify({ ...classifier, ...config }));
  return folder;
}
