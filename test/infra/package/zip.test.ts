import { utimes } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { type Entry, writeZip } from '../../../infra/package/zip.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';

test('a zip does not depend on the dates of files', async () => {
  await using folder = await createTemporaryFolder();
  const file = await folder.write('file', 'content');
  const entries: Entry[] = [
    { name: 'a.txt', bytes: 7, from: file },
    { name: 'b.zst', bytes: 3, from: Buffer.from('bcd') },
  ];
  const first = await writeZip(entries, `${folder.path}/first.zip`);
  await utimes(file, 0, 0);
  expect(await writeZip(entries, `${folder.path}/second.zip`)).toBe(first);
});
