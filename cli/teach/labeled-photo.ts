/** A photo and the label that it is an example of. */
export type LabeledPhoto = {
  label: string;
  /** For people: its path within the folder, or what the table says. */
  name: string;
  /** A path or a URL. */
  source: string;
};

/** The photos to train on. */
export type TrainingSet = {
  photos: LabeledPhoto[];
  /** All labels that the folder or the table names, sorted; also those without photos. */
  labels: string[];
  /** What was ignored, by reason. */
  leftOut: Map<string, number>;
};

/** Their features are held in memory, 5 kB each, and each is compared with each. */
export const MAX_PHOTOS = 20_000;
