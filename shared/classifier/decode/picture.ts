/** The picture format of a model; see `classifier.json`. */
export type PictureFormat = {
  /** Side of the model's square input, in pixels. */
  inputSize: number;
  /** The side of the centre square as a fraction of the shorter side, above 0 and up to 1. */
  crop: number;
  interpolation: 'nearest' | 'linear' | 'cubic' | 'lanczos3';
};

/** In pixels. */
export type Size = { width: number; height: number };

/** A supported file format. */
export type FileFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

/** Code points of ITU-T H.273 for primaries and transfer function of a picture without an ICC profile. */
export type CodedColours = { primaries: number; transfer: number };

/** What is known of a picture before it is decoded. Can be sent to another process. */
export type Inspected = {
  format: FileFormat;
  /** The input of the decoder: the file, or a copy without what its first picture does not need. */
  bytes: Uint8Array;
  /** As stored, before applying the EXIF orientation. */
  size: Size;
  /** The peak memory of the decoder, in megabytes: an upper estimate. */
  megabytes: number;
  /** Whether decoding may take longer than about a second without a way to interrupt it. */
  expensive: boolean;
  /** The level of decoder messages from which on the picture counts as corrupt. */
  failOn: 'truncated' | 'error' | 'warning';
  /** Whether the file has no end mark, so that only decoding all rows shows whether they are complete. */
  endInDoubt: boolean;
  /** Colours that the decoder does not convert to sRGB by itself. */
  colours?: CodedColours;
};

/** RGB bytes, inputSize x inputSize x 3, and the size of the whole picture after applying its orientation. */
export type Decoded = { pixels: Uint8Array; size: Size };
