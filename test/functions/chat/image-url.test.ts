import { expect, test } from '@jest/globals';
import { imageUrlIn } from '../../../functions/chat/image-url.ts';

test.each([
  ['what is in this picture https://example.com/a.jpg', 'https://example.com/a.jpg'],
  ['HTTPS://EXAMPLE.COM/A.JPG', 'HTTPS://EXAMPLE.COM/A.JPG'],
  ['is it a cat? http://example.com/cat.png?', 'http://example.com/cat.png'],
  ['(see https://example.com/a.jpg).', 'https://example.com/a.jpg'],
  ['"https://example.com/a.jpg"', 'https://example.com/a.jpg'],
  ['<https://example.com/a.jpg|a.jpg>', 'https://example.com/a.jpg'],
  ['この写真は何ですか？https://example.com/a.jpgです。', 'https://example.com/a.jpg'],
  ['「https://example.com/%E7%8C%AB.jpg」', 'https://example.com/%E7%8C%AB.jpg'],
  [
    'https://en.wikipedia.org/wiki/Cat_(disambiguation).jpg, please',
    'https://en.wikipedia.org/wiki/Cat_(disambiguation).jpg',
  ],
  ['https://example.com/a.jpg?w=1&h=2#x and https://example.com/b.jpg', 'https://example.com/a.jpg?w=1&h=2#x'],
  ['s3://bucket/cat.jpg', 's3://bucket/cat.jpg'],
  ['http://[2001:db8::1]/a.jpg', 'http://[2001:db8::1]/a.jpg'],
])('%s', (said, url) => {
  expect(imageUrlIn(said)).toBe(url);
});

test.each([
  '',
  'a cat',
  'www.example.com/a.jpg',
  'ftp://example.com/a.jpg',
  'https://',
  'http://[',
  'file:///etc/passwd',
])('nothing in %p', (said) => {
  expect(imageUrlIn(said)).toBeUndefined();
});

test('a long text that may be a URL is parsed in linear time', () => {
  expect(imageUrlIn(`https://a/${'('.repeat(100_000)}${'!'.repeat(100_000)}`)).toMatch(/^https:\/\/a\//);
});
