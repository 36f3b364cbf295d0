import { createHash } from 'node:crypto';
import { newRun } from '../contract/job-run.ts';
import type { ImageRef } from '../contract/message.ts';
import { MESSAGE_SIZES, messageSizeFor } from '../contract/message-size.ts';
import { MessageCount, SizeInMessage } from '../contract/pack-messages.ts';
import { hostOf } from '../contract/urls.ts';
import { UserError } from '../contract/user-error.ts';
import { RowSet } from './row-set.ts';
import type { InvalidRow, SourceRow } from './source-row.ts';
import { uniqueImages, withOwnId } from './unique-images.ts';

/** The content of a source, determined before anything is sent. */
export type PreflightResult = {
  images: number;
  /** Maximum number of images per message: as requested, or chosen by the number of images. */
  perMessage: number;
  messages: number;
  /** Bytes of all message bodies, or slightly more. */
  bytes: number;
  repetitions: number;
  invalid: number;
  /** Images by host, for the first `MAX_HOSTS` hosts. */
  hosts: Map<string, number>;
  /** SHA-256 of the images in their order. */
  digest: string;
  /** The rows, from 0, that are duplicates or invalid. */
  leftOut: RowSet;
  /** The rows, from 0, that get an id of their own. */
  ownIds: RowSet;
  /** The first image; undefined when there is none. */
  first: ImageRef | undefined;
};

/** The source changed between its two reads. */
export class SourceChangedError extends UserError {
  override readonly name = 'SourceChangedError';
}

const MAX_HOSTS = 10_000;

/**
 * Reads a source to its end, to check and count what will be sent.
 *
 * @param of the job, and the images per message; undefined to choose them
 * @param onInvalid called with each row that names no image, or whose id has another URL in an earlier row
 * @throws {ImageTooLargeError} when an image does not fit into a message
 */
export async function preflight(
  rows: AsyncIterable<SourceRow>,
  of: { job: string; perMessage: number | undefined },
  onInvalid: (row: InvalidRow) => void,
): Promise<PreflightResult> {
  const digest = createHash('sha256');
  const found = nothingFound();
  const sizes = new SizeInMessage({ job: of.job, run: newRun(), attempt: 1 });
  const packings = (of.perMessage === undefined ? MESSAGE_SIZES : [of.perMessage]).map(
    (perMessage) => new MessageCount(sizes, perMessage),
  );
  let row = -1;
  const counted = tap(rows, () => row++);
  const onRepetition = () => {
    found.repetitions++;
    found.leftOut.add(row);
  };
  const unique = uniqueImages(counted, { onRepetition, onOwnId: () => found.ownIds.add(row) });
  const images = validImages(unique, (invalid) => {
    found.invalid++;
    found.leftOut.add(row);
    onInvalid(invalid);
  });
  for await (const image of images) {
    found.images++;
    found.first ??= image;
    digest.update(JSON.stringify(image));
    countHost(found.hosts, hostOf(image.url));
    const size = sizes.of(image);
    for (const packing of packings) packing.add(size);
  }
  const wanted = of.perMessage ?? messageSizeFor(found.images);
  const { perMessage, messages, bytes } = packings.find(({ perMessage }) => perMessage === wanted) as MessageCount;
  return { ...found, perMessage, messages, bytes, digest: digest.digest('hex') };
}

type Findings = Omit<PreflightResult, 'perMessage' | 'messages' | 'bytes' | 'digest'>;

function nothingFound(): Findings {
  const counts = { images: 0, repetitions: 0, invalid: 0 };
  return { ...counts, hosts: new Map(), leftOut: new RowSet(), ownIds: new RowSet(), first: undefined };
}

/** The images of a source, in order; invalid rows are reported and left out. */
export async function* validImages(
  rows: AsyncIterable<SourceRow>,
  onInvalid: (row: InvalidRow) => void = () => {},
): AsyncGenerator<ImageRef> {
  for await (const row of rows) {
    if ('image' in row) yield row.image;
    else onInvalid(row);
  }
}

/**
 * The images of a source after its preflight, without the memory that finding duplicates takes.
 *
 * @throws {SourceChangedError}
 */
export async function* scannedImages(
  rows: AsyncIterable<SourceRow>,
  { images, leftOut, ownIds }: PreflightResult,
): AsyncGenerator<ImageRef> {
  let [row, sent] = [0, 0];
  for await (const given of rows) {
    const at = row++;
    if (leftOut.has(at)) continue;
    const taken = ownIds.has(at) && 'image' in given ? withOwnId(given) : given;
    if (!('image' in taken) || sent === images) throw changed(row);
    sent++;
    yield taken.image;
  }
  if (sent < images) throw changed(row);
}

function changed(row: number): SourceChangedError {
  return new SourceChangedError(`expected the source not to change while it is read twice, row ${row} has changed`);
}

async function* tap<Item>(items: AsyncIterable<Item>, look: (item: Item) => void): AsyncGenerator<Item> {
  for await (const item of items) {
    look(item);
    yield item;
  }
}

function countHost(hosts: Map<string, number>, host: string): void {
  const count = hosts.get(host);
  if (count !== undefined || hosts.size < MAX_HOSTS) hosts.set(host, (count ?? 0) + 1);
}
