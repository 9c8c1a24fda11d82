// Serves a folder, for pages that no tool builds.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Serves a folder on localhost; port 0 is a free one. `change` may rewrite what goes out. Answers the server. */
export async function serve(folder, { port = 0, change = (body) => body } = {}) {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    try {
      const type = TYPES[extname(file)] ?? 'application/octet-stream';
      response.setHeader('content-type', type);
      response.end(change(await readFile(file), type));
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    }
  });
  await new Promise((listening, failed) => server.once('error', failed).listen(port, 'localhost', listening));
  return server;
}
