import type { ModelFolder } from '../../shared/classifier/model/model-folder.ts';
import type { ModelHead } from '../../shared/classifier/model/model-head.ts';
import type { DenseLayer } from '../../shared/classifier/model/tensorflow/dense-layer.ts';
import { topK } from '../../shared/classifier/model/top-k.ts';
import { decodeEmbeddingInto, embeddingLength } from '../../shared/contract/embedding.ts';
import type { Label, ResultLine } from '../../shared/contract/result-line.ts';
import { type EmbeddedLine, embeddedLine, linesIn, modelText } from '../embeddings/embedded-lines.ts';
import { OtherTrunkError } from '../embeddings/other-trunk-error.ts';

/** The last layer of a model folder, and how its scores become labels. */
export type OpenHead = { folder: ModelFolder; head: ModelHead; layer: DenseLayer; top: number };

/** Lines whose scores are computed at once: enough for both cores, and 4 MB of features and of a thousand scores each. */
const LINES_AT_ONCE = 1_024;

/** Computes new result lines from a job's lines with embeddings, and counts them. */
export class LineRelabeler {
  readonly #job: string;
  readonly #model: OpenHead;
  /** Of the lines that are being relabeled; the same memory for all of them. */
  readonly #features: Float32Array;
  #relabeled = 0;
  #withoutEmbedding = 0;

  constructor(job: string, model: OpenHead) {
    this.#job = job;
    this.#model = model;
    this.#features = new Float32Array(LINES_AT_ONCE * model.head.length);
  }

  /** Lines so far that have new labels. */
  get relabeled(): number {
    return this.#relabeled;
  }

  /** Lines so far that have no embedding, or none that can be read; they are left out. */
  get withoutEmbedding(): number {
    return this.#withoutEmbedding;
  }

  /**
   * The lines of a part file with new labels and model, and without embeddings.
   *
   * @throws {OtherTrunkError} at the first embedding of another trunk
   */
  relabel(part: Buffer): ResultLine[] {
    const lines = linesIn(part);
    const newLines: ResultLine[] = [];
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      newLines.push(...this.#relabelBlock(lines.slice(from, from + LINES_AT_ONCE)));
    }
    this.#relabeled += newLines.length;
    this.#withoutEmbedding += lines.length - newLines.length;
    return newLines;
  }

  #relabelBlock(texts: readonly string[]): ResultLine[] {
    const { length } = this.#model.head;
    const lines: ResultLine[] = [];
    for (const text of texts) {
      const line = embeddedLine(text);
      if (line === undefined) continue;
      this.#checkTrunk(line);
      // Drops the embedding from memory.
      const { embedding, trunk: _trunk, ...rest } = line;
      if (embeddingLength(embedding) !== length) continue;
      if (decodeEmbeddingInto(embedding, this.#features, lines.length * length)) lines.push(rest);
    }
    if (lines.length === 0) return [];
    const scores = this.#model.layer.scores(this.#features.subarray(0, lines.length * length));
    const { name, version } = this.#model.folder.config;
    return lines.map((line, row) => ({ ...line, labels: this.#labels(scores, row), model: { name, version } }));
  }

  #labels(scores: Float32Array, row: number): Label[] {
    const { folder, top } = this.#model;
    return topK(scores.subarray(row * folder.labels.length), folder.labels, top, folder.config.threshold);
  }

  #checkTrunk(line: EmbeddedLine): void {
    const { folder, head } = this.#model;
    if (line.trunk === head.trunk) return;
    const { name, version } = folder.config;
    const expected = { trunk: head.trunk, model: `${name} ${version}` };
    throw new OtherTrunkError(this.#job, { trunk: line.trunk, model: modelText(line) }, expected);
  }
}
