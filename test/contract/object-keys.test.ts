import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addSums, IdSum } from '../../shared/contract/id-sum.ts';
import {
  INSTANCE_FAMILIES,
  type InstanceFamily,
  OTHER_FAMILY_NUMBER,
} from '../../shared/contract/instance-families.ts';
import {
  cancelledKey,
  jobKey,
  newestRunKey,
  orderKey,
  orderPrefix,
  partKey,
  partPrefix,
  readPartName,
  redrivePrefix,
  runPartPrefix,
} from '../../shared/contract/object-keys.ts';
import type { WorkerMachine, WorkerTime } from '../../shared/contract/worker-time.ts';
import { PRICES } from '../../shared/cost.ts';
import { VCPU_HOUR_USD } from '../../shared/instance-price.ts';
import { jobName } from './arbitraries.ts';
import { seed } from './seed.ts';

const kind = fc.constantFrom('results' as const, 'failures' as const);
/** Result lines with these ids, as far as keys look at them. */
function linesOf(ids: string[]): { id: string }[] {
  return ids.map((id) => ({ id }));
}

function sumOf(ids: readonly string[]): string {
  const sum = new IdSum();
  for (const id of ids) sum.add(id);
  return sum.toString();
}

const ids = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 30 });

test('keys are laid out as the documentation says', () => {
  expect(partKey('results', { job: 'cats' }, linesOf(['a', 'b']))).toMatch(
    /^results\/job=cats\/part-[0-9a-f]{32}-[0-9a-f]{32}-n2\.jsonl$/,
  );
  expect(partKey('failures', { job: 'cats' }, linesOf(['a']))).toMatch(
    /^failures\/job=cats\/part-[0-9a-f]{32}-[0-9a-f]{32}-n1\.jsonl$/,
  );
  expect(jobKey('cats')).toBe('jobs/cats/job.json');
  expect(newestRunKey('cats')).toBe('runs/job=cats/run.json');
  expect(cancelledKey({ job: 'cats' })).toBe('jobs/cats/cancelled');
});

test('the keys of a run have it in them', () => {
  const of = { job: 'cats', run: '0123456789abcdef' };
  expect(partKey('results', of, linesOf(['a']))).toMatch(/^results\/job=cats\/run=0123456789abcdef\/part-/);
  expect(cancelledKey(of)).toBe('cancelled/job=cats/run=0123456789abcdef');
  expect(orderKey(of, 0)).toBe('jobs/cats/run=0123456789abcdef/order-00000.jsonl.gz');
  expect(redrivePrefix(of)).toBe('jobs/cats/run=0123456789abcdef/redrive/');
});

test('keys below the prefix of a run belong to no other run', () => {
  const runs = [{ job: 'cats' }, { job: 'cats', run: '0'.repeat(16) }, { job: 'cats', run: '1'.repeat(16) }];
  for (const one of runs) {
    for (const other of runs.filter((run) => run !== one)) {
      expect(partKey('results', other, linesOf(['a'])).startsWith(runPartPrefix('results', one))).toBe(false);
      expect(orderKey(other, 0).startsWith(orderPrefix(one))).toBe(false);
      expect(redrivePrefix(other).startsWith(redrivePrefix(one))).toBe(false);
    }
  }
});

test('the same images in another order have the same key, so that redone work overwrites', () => {
  const shuffled = ids.chain((given) =>
    fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
  );
  fc.assert(
    fc.property(kind, jobName, shuffled, (of, job, [given, reordered]) => {
      expect(partKey(of, { job }, linesOf(reordered))).toBe(partKey(of, { job }, linesOf(given)));
    }),
    { seed },
  );
});

test('other images, another job or the other kind have another key', () => {
  fc.assert(
    fc.property(jobName, ids, fc.string(), (job, given, another) => {
      fc.pre(!given.includes(another));
      const key = partKey('results', { job }, linesOf(given));
      expect(partKey('results', { job }, linesOf([...given, another]))).not.toBe(key);
      expect(partKey('results', { job }, linesOf([another, ...given.slice(1)]))).not.toBe(key);
      expect(partKey('failures', { job }, linesOf(given))).not.toBe(key);
      expect(partKey('results', { job: `${job}x` }, linesOf(given))).not.toBe(key);
    }),
    { seed },
  );
});

test('lists of ids that are equal only when joined have different keys', () => {
  expect(partKey('results', { job: 'cats' }, linesOf(['a,b', 'c']))).not.toBe(
    partKey('results', { job: 'cats' }, linesOf(['a', 'b,c'])),
  );
  expect(partKey('results', { job: 'cats' }, linesOf(['a","b']))).not.toBe(
    partKey('results', { job: 'cats' }, linesOf(['a', 'b'])),
  );
});

test('a key does not change between releases: old parts are overwritten, too', () => {
  expect(partKey('results', { job: 'cats' }, linesOf(['b', 'a']))).toBe(
    'results/job=cats/part-0473ef2dc0d324ab659d3580c1134e9d-08bb6928ca5517152e4b8118ff058d81-n2.jsonl',
  );
});

test('a key without a sum of ids is replaced by one with the same digest', () => {
  const old = readPartName('results/job=cats/part-0473ef2dc0d324ab659d3580c1134e9d-n2.jsonl');
  expect(old).toMatchObject({ digest: '0473ef2dc0d324ab659d3580c1134e9d', idSum: undefined, lines: 2 });
  expect(readPartName(partKey('results', { job: 'cats' }, linesOf(['b', 'a'])))?.digest).toBe(old?.digest);
});

test('the sums of the files of a job add up to the sum of its ids, however they are divided', () => {
  const halves = ids.chain((given) =>
    fc
      .tuple(fc.constant(given), fc.nat(given.length))
      .map(([all, at]) => [all, all.slice(0, at), all.slice(at)] as const),
  );
  fc.assert(
    fc.property(halves, ([all, ...parts]) => {
      const sums = parts
        .filter((part) => part.length > 0)
        .map((part) => readPartName(partKey('results', { job: 'cats' }, linesOf(part)))?.idSum ?? '');
      expect(addSums(sums)).toBe(sumOf(all));
    }),
    { seed },
  );
});

test('counting an image twice in place of another one changes the sum', () => {
  expect(addSums([sumOf(['a', 'b']), sumOf(['b', 'd'])])).not.toBe(sumOf(['a', 'b', 'c', 'd']));
});

test('the number of lines is read back from the key, which lies below the prefix of its job', () => {
  fc.assert(
    fc.property(kind, jobName, ids, (of, job, given) => {
      const key = partKey(of, { job }, linesOf(given));
      expect(readPartName(key)?.lines).toBe(given.length);
      expect(key.startsWith(partPrefix(of, job))).toBe(true);
    }),
    { seed },
  );
});

test('the name of a failure file has the number of lines per code', () => {
  const failures = [
    { id: 'a', error: { code: 'timeout' as const } },
    { id: 'b', error: { code: 'not_found' as const } },
    { id: 'c', error: { code: 'not_found' as const } },
  ];
  const key = partKey('failures', { job: 'cats' }, failures);
  expect(key).toMatch(/-n3\.not_found-2\.timeout-1\.jsonl$/);
  expect(readPartName(key)).toMatchObject({
    lines: 3,
    codes: new Map([
      ['not_found', 2],
      ['timeout', 1],
    ]),
  });
});

test('files with lines of the same images have the same digest, whatever the outcomes', () => {
  const digests = (['timeout', 'not_found'] as const).map(
    (code) => readPartName(partKey('failures', { job: 'cats' }, [{ id: 'a', error: { code } }]))?.digest,
  );
  expect(digests[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(digests[1]).toBe(digests[0]);
});

test('the prefix of a job matches no other job', () => {
  expect(partKey('results', { job: 'cats-2' }, linesOf(['a'])).startsWith(partPrefix('results', 'cats'))).toBe(false);
});

describe('is not a part file, and has no number of lines:', () => {
  test.each([
    jobKey('cats'),
    cancelledKey({ job: 'cats' }),
    'results/job=cats/',
    'results/job=cats/notes.txt',
    'results/job=cats/part-n3.jsonl',
    `results/job=cats/part-${'a'.repeat(32)}-n.jsonl`,
    `results/job=cats/part-${'a'.repeat(32)}-n3.jsonl.gz`,
    `results/job=cats/part-${'A'.repeat(32)}-n3.jsonl`,
  ])('%s', (key) => expect(readPartName(key)).toBeUndefined());
});

describe('the computing time in the key of a part file', () => {
  const spentTime = {
    milliseconds: fc.nat(10 ** 9),
    architecture: fc.constantFrom('x86_64' as const, 'arm64' as const),
  };
  const time: fc.Arbitrary<WorkerTime> = fc.oneof(
    fc.record({ ...spentTime, host: fc.constant('lambda' as const), memoryMb: fc.integer({ min: 128, max: 10_240 }) }),
    fc.record({ ...spentTime, host: fc.constant('own' as const), memoryMb: fc.constant(0) }),
    fc.record({ ...spentTime, host: fc.constant('ec2' as const), memoryMb: fc.constant(0) }),
    fc.record({
      ...{ ...spentTime, host: fc.constant('ec2' as const), memoryMb: fc.constant(0) },
      instanceFamily: fc.constantFrom(...(Object.keys(INSTANCE_FAMILIES) as InstanceFamily[])),
    }),
  );

  test('is read back, and changes no other field', () => {
    fc.assert(
      fc.property(kind, jobName, ids, time, (of, job, given, spent) => {
        const lines = given.map((id) => ({ id, error: { code: 'timeout' as const } }));
        const { time: read, ...others } = readPartName(partKey(of, { job }, lines, spent)) ?? {};
        expect(read).toEqual(spent);
        const { time: none, ...without } = readPartName(partKey(of, { job }, lines)) ?? {};
        expect(none).toBeUndefined();
        expect(others).toEqual(without);
      }),
      { seed },
    );
  });

  test('is between the number of lines and the error codes', () => {
    const spent = { host: 'lambda', milliseconds: 9_731.4, architecture: 'arm64', memoryMb: 1_769 } as const;
    expect(partKey('failures', { job: 'cats' }, [{ id: 'a', error: { code: 'gone' } }], spent)).toMatch(
      /-n1-t9731a1769\.gone-1\.jsonl$/,
    );
  });

  describe('is read by commands of versions that know Lambda only:', () => {
    /** As they had it. */
    const BEFORE = /\/part-[0-9a-f]{32}-[0-9a-f]{32}-n(\d+)-t(\d{1,12})([xa])(\d{1,6})((?:\.[a-z_]+-\d+)*)\.jsonl$/;
    const read = (machine: WorkerMachine) => {
      const key = partKey('results', { job: 'cats' }, linesOf(['a', 'b']), { ...machine, milliseconds: 3_600_000 });
      const [, lines, milliseconds, letter, memoryMb] = BEFORE.exec(key) ?? [];
      expect([lines, milliseconds]).toEqual(['2', '3600000']);
      const gbSecondUsd = letter === 'a' ? PRICES.lambdaGbSecondArm : PRICES.lambdaGbSecond;
      return (3_600 * Number(memoryMb) * gbSecondUsd) / 1_024;
    };

    test.each(Object.keys(INSTANCE_FAMILIES) as InstanceFamily[])('%s at about its price', (instanceFamily) => {
      const architecture = /^[a-z]\d+g/.test(instanceFamily) ? 'arm64' : 'x86_64';
      const usd = read({ host: 'ec2', architecture, memoryMb: 0, instanceFamily });
      expect(Math.abs(usd / VCPU_HOUR_USD[instanceFamily] - 1)).toBeLessThan(0.01);
    });

    test("one's own machine at no price", () => {
      expect(read({ host: 'own', architecture: 'x86_64', memoryMb: 0 })).toBe(0);
    });
  });

  test('has a number of its own for each family of instance types, which is never that of another', () => {
    const numbers = [...Object.values(INSTANCE_FAMILIES), OTHER_FAMILY_NUMBER];
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('of a family that a later version added is that of an instance of unknown family', () => {
    const key = partKey('results', { job: 'cats' }, linesOf(['a'])).replace('.jsonl', '-t500x09999.jsonl');
    expect(readPartName(key)?.time).toEqual({ host: 'ec2', architecture: 'x86_64', memoryMb: 0, milliseconds: 500 });
  });

  test.each(['-t5y1769', '-tx1769', '-t-5x1769', '-t5x', '-t5x1769x'])('is not %s', (text) => {
    expect(readPartName(`results/job=cats/part-${'a'.repeat(32)}-${'b'.repeat(32)}-n3${text}.jsonl`)).toBeUndefined();
  });
});
