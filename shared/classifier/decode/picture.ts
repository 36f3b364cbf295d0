/** How a model wants its pictures; see `classifier.json`. */
export type PictureFormat = {
  /** Side of the model's square input, in pixels. */
  inputSize: number;
  /** Share of the shorter side that the centre square keeps, above 0 and up to 1. */
  crop: number;
  interpolation: 'nearest' | 'linear' | 'cubic' | 'lanczos3';
};

/** In pixels. */
export type Size = { width: number; height: number };

/** A supported file format. */
export type FileFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';

/** Code points of ITU-T H.273 for primaries and transfer function of a picture without an ICC profile. */
export type CodedColours = { primaries: number; transfer: number };

/** What is known of a picture before a decoder has seen it. It can be sent to another process. */
export type Inspected = {
  format: FileFormat;
  /** What the decoder is given: the file, or a copy without what has nothing to do with its first picture. */
  bytes: Uint8Array;
  /** As stored, before the EXIF orientation turns it. */
  size: Size;
  /** Memory that a decoder holds at once, in megabytes: an estimate, at the high end. */
  megabytes: number;
  /** Whether decoding may take longer than about a second where nothing can interrupt it. */
  expensive: boolean;
  /** From which complaint of the decoder on the picture counts as corrupt. */
  failOn: 'truncated' | 'error' | 'warning';
  /** Whether the file has no end mark, so that only a decode of all rows shows whether they are there. */
  endInDoubt: boolean;
  /** Colours that the decoder does not convert to sRGB by itself. */
  colours?: CodedColours;
};

/** RGB bytes, inputSize x inputSize x 3, and the size of the whole picture once it is upright. */
export type Decoded = { pixels: Uint8Array; size: Size };
