import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { PLATFORMS, platformNamed } from '../../setup/pinned.mjs';

test.each(['win32-x64', 'darwin-x64', 'linux-ia32', 'linux-riscv64'])(
  'refuses %s, and says what it runs on',
  (name) => {
    expect(() => platformNamed(name)).toThrow(
      `labelqueue runs on linux-x64, linux-arm64, darwin-arm64, not on ${name}. On Windows, use WSL 2`,
    );
  },
);

test.each(Object.entries(PLATFORMS))(
  'what pip fetches for %s is pinned by version and hash',
  (_name, { wheel, zig }) => {
    for (const pinned of zig ? [wheel, zig] : [wheel]) {
      expect(pinned.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(pinned.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  },
);

test.each([
  ['linux', '18.20.0', 20],
  ['darwin', '22.20.0', 24],
])('on %s, Node %s gets as far as the message that says %d', async (platform, node, expected) => {
  const start = fileURLToPath(new URL('../../setup/start.mjs', import.meta.url));
  const script = `Object.defineProperty(process, 'platform', { value: '${platform}' });
    Object.defineProperty(process, 'versions', { value: { node: '${node}' } });
    import(${JSON.stringify(start)});`;

  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ['-e', script], (error, _stdout, text) => resolve({ code: error?.code, stderr: text }));
  });

  expect(code).toBe(1);
  expect(stderr).toMatch(/^labelqueue setup: expected Node \d\d or newer, this is .*\. Install Node 24\.\n$/);
  expect(stderr).toContain(`expected Node ${expected} or newer`);
});
