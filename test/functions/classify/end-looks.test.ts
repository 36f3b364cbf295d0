import { beforeEach, describe, expect, test } from '@jest/globals';
import { EndLooks, type EndLooksOptions } from '../../../functions/classify/end-looks.ts';
import { PartWriter } from '../../../functions/classify/part-writer.ts';
import { persistOutcomes } from '../../../functions/classify/persist-outcomes.ts';
import { planOutcomes } from '../../../functions/classify/plan-outcomes.ts';
import { END_LOOK_DELAY_SECONDS, END_LOOK_WINDOW_MS } from '../../../shared/contract/limits.ts';
import { resultLine } from '../../../shared/contract/result-line.ts';
import { parseEndLook } from '../../../shared/jobs/end-look.ts';
import { anyRun, createAnnouncer, describeRun, idsOf, writeResults } from '../../support/ended-run.ts';
import { startInterceptedAws } from '../../support/intercepted-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [network] = await sharedByTests(startInterceptedAws());
let requests: number;
const { aws } = network;
beforeEach(() => {
  aws.clear();
  requests = 0;
  network.intercept((call, pass) => {
    if (call === 'SendMessage') requests++;
    return pass();
  });
});

/** At the start of a window. */
const START = 1_000 * END_LOOK_WINDOW_MS;
const noWork = async () => {};

function endLooks(options: Partial<EndLooksOptions> = {}): EndLooks {
  const { sqs } = network.intercepted;
  const jobEndQueueUrl = aws.environment.JOB_END_QUEUE_URL;
  return new EndLooks({ sqs, jobEndQueueUrl, onRefused() {}, now: () => START, ...options });
}

/** Bodies in the queue of looks, delayed ones included. */
function lookRequests(): string[] {
  const { ready, delayed } = aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages ?? {
    ready: [],
    delayed: [],
  };
  return [...ready, ...delayed].map(({ body }) => body);
}

test('a check is requested before a line is written, so that it is not lost when the worker is killed', async () => {
  const of = anyRun();
  await describeRun(aws.target, of, idsOf(2));
  const seen: number[] = [];
  const dying = endLooks().around(of, async () => {
    seen.push(lookRequests().length);
    await writeResults(aws.target, of, idsOf(2));
    throw new Error('the worker is killed');
  });
  await expect(dying).rejects.toThrow('killed');
  expect(seen).toEqual([1]);
  const announcer = createAnnouncer(aws.target);
  const [body = ''] = lookRequests();
  await announcer.look(parseEndLook(body) ?? anyRun());
  expect(announcer.events).toMatchObject([{ ...of, state: 'completed' }]);
});

describe('requests', () => {
  test('are one per run and window of a worker, however much it writes', async () => {
    const runs = [anyRun(), anyRun()];
    const looks = endLooks();
    for (let write = 0; write < 50; write++) {
      await Promise.all(runs.map((of) => looks.around(of, noWork)));
    }
    expect(requests).toBe(2);
  });

  test('of 80 workers in a window cause one check', async () => {
    const of = anyRun();
    await Promise.all(Array.from({ length: 80 }, () => endLooks().around(of, noWork)));
    expect(requests).toBe(80);
    expect(lookRequests()).toHaveLength(1);
  });

  test('of an hour cause one check per window, with 1 worker and with 8', async () => {
    const windows = (60 * 60_000) / END_LOOK_WINDOW_MS;
    for (const workers of [1, 8]) {
      aws.clear();
      const of = anyRun();
      let now = START;
      const fleet = Array.from({ length: workers }, () => endLooks({ now: () => now }));
      for (; now < START + 60 * 60_000; now += 5_000) {
        await Promise.all(fleet.map((looks) => looks.around(of, noWork)));
      }
      expect(lookRequests()).toHaveLength(windows);
    }
  }, 60_000);

  test('are repeated after a write that took so long that the check may have been earlier', async () => {
    const of = anyRun();
    let now = START + END_LOOK_WINDOW_MS - 1;
    const looks = endLooks({ now: () => now });
    await looks.around(of, async () => {
      now = START + END_LOOK_DELAY_SECONDS * 1_000;
    });
    expect(lookRequests()).toHaveLength(2);
  });

  test('are not made for a job of unknown size', async () => {
    await endLooks().around({ job: 'default' }, noWork);
    expect(requests).toBe(0);
  });
});

describe('when the queue of checks', () => {
  test('fails temporarily, nothing is written: the message is redelivered', async () => {
    let isDown = true;
    network.intercept((call, pass, _cut, answer) =>
      call === 'SendMessage' && isDown ? Promise.resolve(answer({ status: 503, body: '' })) : pass(),
    );
    const of = anyRun();
    const looks = endLooks();
    const written: string[] = [];
    const write = async () => void written.push('line');
    await expect(looks.around(of, write)).rejects.toThrow();
    expect(written).toEqual([]);
    isDown = false;
    await looks.around(of, write);
    expect(written).toEqual(['line']);
    expect(lookRequests()).toHaveLength(1);
  });

  test('is deleted, the work continues, and that is reported', async () => {
    const refused: unknown[] = [];
    const looks = endLooks({
      jobEndQueueUrl: `${aws.environment.JOB_END_QUEUE_URL.replace('.fifo', '')}-gone.fifo`,
      onRefused: (error) => refused.push(error),
    });
    await expect(looks.around(anyRun(), async () => 'written')).resolves.toBe('written');
    expect(refused).toHaveLength(1);
  });
});

test('a part file is written after its check was requested, and dropping a run requests a check', async () => {
  const of = anyRun();
  const order: string[] = [];
  network.intercept((call, pass) => {
    order.push(call);
    return pass();
  });
  const looks = endLooks();
  const { s3, sqs, queueUrl, deadLetterQueueUrl, resultsBucket } = network.intercepted;
  const parts = new PartWriter(s3, resultsBucket, { endLooks: looks });
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const image = { id: 'a', url: 'https://host.example/a' };
  const line = resultLine({ ...of, image, attempt: 1, at: new Date() }, [], { name: 'stub', version: '1' }, facts);
  const written = parts.write('results', of, [line]);
  parts.flush();
  await written;
  expect(order).toEqual(['SendMessage', 'PUT']);

  const dropped = anyRun();
  const message = { ...dropped, attempt: 1, images: [image] };
  const context = { model: { name: 'stub', version: '1' }, retryBaseSeconds: 0, now: new Date(), random: 0.5 };
  const plan = planOutcomes(message, [[image, 'cancelled']], context);
  await persistOutcomes(plan, { sqs, queueUrl, deadLetterQueueUrl, parts, endLooks: looks });
  expect(lookRequests().map(parseEndLook)).toEqual([of, dropped]);
});
