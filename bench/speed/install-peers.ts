import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const SOURCES = join(import.meta.dirname, '../peers');
const MODEL = join(ROOT, 'models/efficientnet-lite0');

/** What the peers need, in folders of their own. */
export type Peers = {
  /** For PYTHONPATH. */
  pythonPath: string;
  /** With the worker and its `node_modules`. */
  nodeFolder: string;
  /** The same weights as our model's, for onnxruntime. */
  onnx: string;
};

/** Fetches what is missing into `.labelqueue/peers/`. */
export async function installPeers(tell: (what: string) => void): Promise<Peers> {
  const folder = join(ROOT, '.labelqueue/peers');
  await mkdir(folder, { recursive: true });
  const pythonPath = await once(folder, 'python', [join(SOURCES, 'python/requirements.txt')], async (place) => {
    tell('installing the Python peer');
    await pip(place, '-r', join(SOURCES, 'python/requirements.txt'));
  });
  const converter = await once(folder, 'tf2onnx', [join(SOURCES, 'onnx/requirements.txt')], async (place) => {
    await pip(place, '--no-deps', '-r', join(SOURCES, 'onnx/requirements.txt'));
  });
  const onnx = await once(folder, 'onnx', [join(MODEL, 'SHA256SUMS')], async (place) => {
    tell('converting the model for onnxruntime');
    await mkdir(place);
    const convert = ['-m', 'tf2onnx.convert', '--saved-model', MODEL, '--output', join(place, 'model.onnx')];
    const env = { ...process.env, PYTHONPATH: `${converter}:${pythonPath}` };
    await run('python3', [...convert, '--opset', '17'], { env });
  });
  const nodeFolder = await once(folder, 'node', [join(SOURCES, 'node/package.json')], async (place) => {
    tell('installing the Node peer');
    await mkdir(place);
    await cp(join(SOURCES, 'node'), place, { recursive: true });
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: place,
      env: nodeEnvironment(),
    });
  });
  await cp(join(SOURCES, 'node/worker.mjs'), join(nodeFolder, 'worker.mjs'));
  return { pythonPath, nodeFolder, onnx: join(onnx, 'model.onnx') };
}

/** Makes a folder unless it was made from the same files; nothing half-made is ever used. */
async function once(
  parent: string,
  name: string,
  madeFrom: readonly string[],
  make: (place: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256');
  for (const file of madeFrom) key.update(readFileSync(file));
  const place = join(parent, `${name}-${key.digest('hex').slice(0, 12)}`);
  if (existsSync(place)) return place;
  const unfinished = `${place}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await make(unfinished);
  await rename(unfinished, place);
  return place;
}

async function pip(place: string, ...what: string[]): Promise<void> {
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', place, ...what]);
}

function nodeEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
}
