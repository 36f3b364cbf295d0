/**
 * Preloaded into a worker (`--import`), it makes two stages throw errors that contain secrets: URLs whose path begins with
 * `/SURPRISE` cannot be parsed, and only black pictures reach TensorFlow. Both errors name a URL with its query.
 */
const SIGNED = 'https://photos.example.com/a.jpg?X-Amz-Signature=SECRET&token=SECRET';

const { parse } = URL;
URL.parse = (...given) => {
  // A fetch resolves against a base; others that parse the URL do not.
  if (given.length === 2 && /^https?:\/\/[^/]+\/SURPRISE/.test(String(given[0]))) throw new TypeError(`no: ${SIGNED}`);
  return parse.apply(URL, given);
};

const { from } = Float32Array;
Float32Array.from = (/** @type {any[]} */ ...given) => {
  if (given[0] instanceof Uint8Array && given[0].some((value) => value !== 0)) throw new Error(`not ${SIGNED}`);
  return Reflect.apply(from, Float32Array, given);
};
