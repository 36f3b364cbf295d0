/** `tensorflow/manifest.json` of a package: what the packaging says to the worker that unpacks it. */
export type TensorflowManifest = {
  /** Tells the content of all files: the unpacked folder is named after it. */
  id: string;
  /** Of all files, unpacked. */
  bytes: number;
};
