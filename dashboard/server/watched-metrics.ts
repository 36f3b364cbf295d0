import { setTimeout as delay } from 'node:timers/promises';
import type { Snapshot } from '../contract/events.ts';
import type { JobRow } from '../contract/jobs.ts';
import { LabelqueueMetrics } from '../metrics.ts';
import type { ImageTotal, MetricsReading } from '../metrics-reading.ts';
import type { Watch } from './watch.ts';

/** A poll younger than this also answers a scrape. */
const FRESH_MS = 5_000;
/** Prometheus' default scrape timeout is 10 s. */
const MAX_WAIT_MS = 8_000;

/** `/metrics` of a dashboard: a scrape polls once, like an open page, and shares polls with open pages. */
export class WatchedMetrics {
  readonly #watch: Watch;
  readonly #metrics = new LabelqueueMetrics();

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** Prometheus text of the last poll; metrics that are unknown after 8 s are left out. */
  async text(): Promise<string> {
    const snapshot = await this.#freshSnapshot();
    return this.#metrics.text(
      readingOf(
        snapshot,
        this.#watch.book.all().flatMap(({ row }) => row ?? []),
      ),
    );
  }

  async #freshSnapshot(): Promise<Snapshot | undefined> {
    const isFresh = () => isComplete(this.#watch.snapshot, Date.now() - FRESH_MS);
    if (isFresh()) return this.#watch.snapshot;
    const looked = Promise.withResolvers<void>();
    const gaveUp = new AbortController();
    const leave = this.#watch.join({ onLook: () => isFresh() && looked.resolve() });
    await Promise.race([
      looked.promise,
      delay(MAX_WAIT_MS, undefined, { signal: gaveUp.signal }).catch(() => undefined),
    ]);
    gaveUp.abort();
    leave();
    return this.#watch.snapshot;
  }
}

/** Whether a poll is recent enough, and both services have answered or failed. */
function isComplete(snapshot: Snapshot | undefined, since: number): boolean {
  if (snapshot === undefined || snapshot.at < since) return false;
  return Object.values(snapshot.connections).every(({ state }) => state !== 'connecting');
}

/** The figures of a snapshot for Prometheus. Estimated counts are left out, because they go up and down. */
function readingOf(snapshot: Snapshot | undefined, jobs: readonly JobRow[]): MetricsReading {
  if (snapshot === undefined) return {};
  const counted = jobs.filter(({ countsAreEstimates }) => !countsAreEstimates);
  return {
    ...queueOf(snapshot),
    images: [...counted.reduce(addImages, new Map<string, ImageTotal>()).values()],
    costUsd: jobs.reduce((sum, { costSoFarUsd }) => sum + costSoFarUsd, 0),
    jobs: counted.map(({ job, classifiedImages, failedImages, remainingImages }) => ({
      job,
      classified: classifiedImages,
      failed: failedImages,
      ...(remainingImages !== null && { remaining: remainingImages }),
    })),
  };
}

function queueOf({ connections, queue }: Snapshot): Pick<MetricsReading, 'queue' | 'oldestMessageAgeSeconds'> {
  const { waitingMessages, inFlightMessages, delayedMessages, deadMessages, oldestMessageAgeSeconds } = queue;
  if (connections.sqs.state !== 'connected') return {};
  return {
    queue: {
      waiting: waitingMessages ?? 0,
      in_flight: inFlightMessages ?? 0,
      delayed: delayedMessages ?? 0,
      dead: deadMessages ?? 0,
    },
    ...(oldestMessageAgeSeconds !== null && { oldestMessageAgeSeconds }),
  };
}

function addImages(totals: Map<string, ImageTotal>, { classifiedImages, failedImagesByCode }: JobRow) {
  const add = (outcome: 'classified' | 'failed', images: number, code?: string) => {
    const key = `${outcome} ${code ?? ''}`;
    const total = images + (totals.get(key)?.total ?? 0);
    totals.set(key, { outcome, ...(code !== undefined && { code }), total });
  };
  add('classified', classifiedImages);
  for (const { code, images } of failedImagesByCode) add('failed', images, code);
  return totals;
}
