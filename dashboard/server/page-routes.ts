import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { Access } from './access.ts';
import { ApiFailure } from './api-failure.ts';
import { Assets, codingFor } from './assets.ts';

type Env = { Bindings: HttpBindings };

/** The page at `/`, and its files. With the token in its address, a visitor gets the cookie and the address without it. */
export function addPage(app: Hono<Env>, access: Access): void {
  const assets = new Assets();
  const respond = async (context: Context<Env>, path: string) => {
    const asset = await assets.get(path);
    if (asset === undefined) throw new ApiFailure('not-found', 'there is no such file');
    const { type, etag, bodies } = asset;
    // File names do not change between versions, so browsers revalidate.
    const headers = { 'content-type': type, etag, 'cache-control': 'no-cache', vary: 'accept-encoding' };
    if (context.req.header('if-none-match') === etag) return context.body(null, 304, headers);
    const coding = codingFor(context.req.header('accept-encoding') ?? '');
    if (coding !== 'identity') context.header('content-encoding', coding);
    return context.body(new Uint8Array(bodies[coding]), 200, headers);
  };
  app.get('/', async (context) => {
    const given = context.req.query('token');
    if (given === undefined) return respond(context, 'index.html');
    const cookie = access.cookieFor(given);
    if (cookie !== undefined) context.header('set-cookie', cookie);
    context.header('cache-control', 'no-store');
    return context.redirect('/', 303);
  });
  app.get('/assets/:path{.+}', (context) => respond(context, context.req.param('path')));
}
