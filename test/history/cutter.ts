/** A TCP proxy that ends a connection at a chosen message, before the server hears it or after it has answered. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Cutter {
  /** The same URL, through the proxy. */
  url(direct: string): string;
  /**
   * Ends the connection that sends the `n`th chunk from now on (the first is 1). `heard`: the server gets it, and its
   * answer is lost; else it never gets it.
   */
  cutAt(n: number, heard: boolean): void;
  /** Whether the last cut has come. */
  readonly happened: boolean;
  close(): Promise<void>;
}

/** @param port of the server, on 127.0.0.1 */
export async function startCutter(port: number): Promise<Cutter> {
  let left = 0;
  let heardToo = false;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = dial({ port, host: '127.0.0.1' });
    const end = () => {
      for (const socket of [client, upstream]) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    let silent = false;
    client.on('data', (chunk) => {
      if (left > 0) {
        left -= 1;
        if (left === 0) {
          if (!heardToo) return end();
          silent = true;
        }
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (silent) end();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url(direct) {
      const url = new URL(direct);
      url.host = `127.0.0.1:${address.port}`;
      return url.href;
    },
    cutAt(n, heard) {
      left = n;
      heardToo = heard;
    },
    get happened() {
      return left === 0;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
