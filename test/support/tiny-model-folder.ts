import { changedModel } from '../classifier/model-folders.ts';
import { channelMeans } from '../classifier/tiny-model.ts';

/** A model of a few bytes, for what does not depend on labels. */
export function tinyModelFolder(): Promise<AsyncDisposable & { path: string }> {
  return changedModel({
    config: { inputSize: 8, output: 'means' },
    files: { 'saved_model.pb': channelMeans(8, 'float32'), 'labels.txt': 'red\ngreen\nblue\n' },
  });
}
