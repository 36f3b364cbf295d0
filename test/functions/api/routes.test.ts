import { request } from 'node:http';
import { expect, test } from '@jest/globals';
import { startLocalApi } from '../../support/local-api.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

const [api] = await sharedByTests(startLocalApi({}));

type Reply = { status: number | undefined; headers: Record<string, unknown>; body: string };

/** `fetch` knows no TRACE, and normalizes paths. */
function ask(method: string, path: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.address);
    request({ hostname, port, method, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

test('health says which model is loaded', async () => {
  const { status, body } = await ask('GET', '/healthz');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({
    status: 'ok',
    model: { name: 'efficientnet-lite0', version: expect.stringMatching(/^1(-int8)?$/) },
  });
});

test('a HEAD is a GET without its body', async () => {
  expect(await ask('HEAD', '/healthz')).toMatchObject({ status: 200, body: '' });
});

test.each(['/', '/classify/', '/jobs', '/jobs/', '/jobs/a/b', '//classify', '/%', '/jobs/../..', '/\\'])(
  '%s is nothing to get',
  async (path) => {
    const { status, headers, body } = await ask('GET', path);
    expect(status).toBe(path === '/jobs' ? 405 : 404);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body).code).toBe(path === '/jobs' ? 'method_not_allowed' : 'no_such_route');
  },
);

test.each([
  ['DELETE', '/classify', 'GET, POST'],
  ['PUT', '/jobs', 'POST'],
  ['OPTIONS', '/jobs/a', 'GET'],
  ['TRACE', '/healthz', 'GET'],
  ['POST', '/openapi.json', 'GET'],
])('%s %s is answered with the allowed methods: %s', async (method, path, allow) => {
  const { status, headers, body } = await ask(method, path);
  expect({ status, allow: headers['allow'] }).toEqual({ status: 405, allow });
  expect(JSON.parse(body)).toMatchObject({ code: 'method_not_allowed', detail: `expected ${allow}, got ${method}` });
});

test('the document is OpenAPI 3.1, with each operation and the limits of the schemas', async () => {
  const { openapi, paths, components } = JSON.parse((await ask('GET', '/openapi.json')).body);
  expect(openapi).toBe('3.1.0');
  expect(Object.keys(paths)).toEqual(['/classify', '/jobs', '/jobs/{job}', '/healthz', '/openapi.json']);
  const top = paths['/classify'].get.parameters.find(({ name }: { name: string }) => name === 'top');
  expect(top.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 });
  expect(components.schemas.JobRequest.properties.images).toMatchObject({ minItems: 1, maxItems: 10_000 });
  expect(Object.keys(paths['/classify'].get.responses)).toEqual(
    expect.arrayContaining(['200', '400', '404', '413', '415', '422', '429', '502', '504']),
  );
});
