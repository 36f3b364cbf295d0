import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createDashboard, type DashboardOptions } from './app.ts';

/** The dashboard on a server of its own. */
export type DashboardServer = {
  /** E.g. `http://127.0.0.1:4568/`. */
  address: string;
  stop(): Promise<void>;
};

/** The dashboard as a request listener, for an existing server. */
export type DashboardListener = { listen: RequestListener; close(): Promise<void> };

export function dashboardListener(options: DashboardOptions): DashboardListener {
  const app = createDashboard(options);
  const listen = getRequestListener((request, bindings) => app.fetch(request, bindings as never), {
    // Do not replace the global Request and Response of this process.
    overrideGlobalObjects: false,
  });
  return { listen: (request, response) => void listen(request, response), close: () => app.close() };
}

/** @param port 0 for any free one */
export async function startDashboard(options: DashboardOptions & { port: number }): Promise<DashboardServer> {
  const { listen, close } = dashboardListener(options);
  const server = createServer(listen);
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, options.host, () => resolve()),
  ).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  const name = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `http://${name}:${port}/`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      await close();
      server.closeAllConnections();
      await closed;
    },
  };
}
