import { expect } from '@jest/globals';
import { checkSavedModel } from '../../shared/classifier/model/check-saved-model.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { MEANS_MODEL } from './s3-model.ts';
import { type Additions, attribute, channelMeans, type Field, node } from './tiny-model.ts';

/** DT_FLOAT and DT_STRING of TensorFlow. */
export const FLOAT = 1;
export const STRING = 7;

/** The model of means with something added, in a folder that goes after the tests. */
export type CheckedModels = {
  folder: TemporaryFolder;
  /** @returns the folder's path */
  withModel(additions: Additions): Promise<string>;
  withBytes(bytes: Buffer): Promise<string>;
  /** Why the check refuses the model. */
  refusalOf(additions: Additions): Promise<string>;
};

/** For the top of a file of tests. */
export async function checkedModels(): Promise<CheckedModels> {
  const [folder] = await sharedByTests(createTemporaryFolder());
  const withBytes = async (bytes: Buffer) => {
    for (const [name, content] of Object.entries(MEANS_MODEL)) await folder.write(name, content);
    await folder.write('saved_model.pb', bytes);
    return folder.path;
  };
  const withModel = (additions: Additions) => withBytes(channelMeans(2, 'float32', [-1, 2, 2, 3], additions));
  return {
    folder,
    withBytes,
    withModel,
    async refusalOf(additions) {
      const error = await checkSavedModel(await withModel(additions)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ModelFolderError);
      return (error as Error).message;
    },
  };
}

export function text(name: string, value: string): Field {
  const tensor: Field[] = [
    [1, STRING],
    [2, []],
    [8, value],
  ];
  return node(name, 'Const', [], [attribute('dtype', [6, STRING]), attribute('value', [8, tensor])]);
}

/** Copies a file while it gives the means. */
export function copying(from: string, to: string): Additions {
  return {
    graph: [
      text('from', from),
      text('to', to),
      node('stolen', 'ReadFile', ['from'], []),
      node('kept', 'WriteFile', ['to', 'stolen'], []),
      node('answer', 'Identity', ['mean', '^kept'], [attribute('T', [6, FLOAT])]),
    ],
    answer: 'answer:0',
  };
}

/** A function as a field of a library; its body are nodes as in a graph. */
export function functionOf(name: string, args: string[], nodes: Field[], attributes: string[] = []): Field {
  const signature: Field[] = [[1, name], ...args.map((arg): Field => [2, [[1, arg]]])];
  const body = nodes.map(([, value]): Field => [3, value]);
  return [
    1,
    [
      [1, signature],
      ...body,
      ...attributes.map(
        (attribute): Field => [
          5,
          [
            [1, attribute],
            [2, []],
          ],
        ],
      ),
    ],
  ];
}

export function library(...functions: Field[]): Field {
  return [2, functions];
}

export function call(name: string, called: string, inputs: string[] = []): Field {
  return node(name, 'StatefulPartitionedCall', inputs, [attribute('f', [10, [[1, called]]])]);
}
