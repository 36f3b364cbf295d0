import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_RECEIVE_COUNT, MAX_REDIRECTS } from '../../shared/contract/limits.ts';
import { attacksOf } from '../attack/attack-kinds.ts';

const ROOT = join(import.meta.dirname, '../..');
const document = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const scripts: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;

describe('SECURITY.md', () => {
  test.each([...document.matchAll(/`npm (?:run )?([\w:]+)[^`]*`/g)].map(([command, script = '']) => [command, script]))(
    '%s can be run',
    (_command, script) => {
      expect(Object.keys(scripts)).toContain(script);
    },
  );

  test('states the limits as they are', () => {
    const stated = document.replaceAll(/\s+/g, ' ');
    expect(stated).toContain(`bytes (${MAX_IMAGE_BYTES / 1e6} MB, also after decompression)`);
    expect(stated).toContain(`pixels (${MAX_IMAGE_PIXELS / 1e6} megapixels)`);
    expect(stated).toContain(`redirects (${MAX_REDIRECTS})`);
    expect(MAX_RECEIVE_COUNT).toBe(5);
    expect(stated).toContain('both refuse at the fifth delivery');
  });

  test('names behaviours of npm run attack', () => {
    const options = /`(--behaviour [^`]+)`/.exec(document)?.[1]?.split(' ') ?? [];
    const program = new Command().option('--behaviour <start>', '', (text, all: string[] = []) => [...all, text]);
    const { behaviour } = program.parse(options, { from: 'user' }).opts<{ behaviour: string[] }>();
    expect(behaviour.filter((start) => attacksOf([start]).length === 0)).toEqual([]);
    expect(behaviour.length).toBeGreaterThan(0);
  });

  test('names no e-mail address: reports are made on GitHub', () => {
    expect(document).not.toMatch(/[\w.]+@[\w-]+\.\w+/);
    expect(document).toContain('**Report a vulnerability**');
  });
});
