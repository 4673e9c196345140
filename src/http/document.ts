/**
 * /openapi.json: what the routes say of themselves, and the WebSocket's messages as components (OpenAPI has no words
 * for what follows an upgrade).
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import { type RouteDescription, TEXT } from './describe.js';
import { ApiError, errorResponse } from './errors.js';
import { serverMessage, subscribeMessage } from './messages.js';
import { errorAnswer } from './schemas.js';
import { type Page, pageResponse } from './static.js';

const document = z
  .looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) })
  .openapi('Document');

/** The paths that are about the API itself, and the page. `describe` gives the document. */
export function ownRoutes(describe: () => object, page: Page | undefined): readonly RouteDescription[] {
  return [
    {
      path: '/',
      summary: 'The live dashboard',
      tag: 'page',
      answers: {
        200: { description: 'The page', schema: TEXT, type: 'text/html' },
        404: { description: 'This process has no page', schema: errorAnswer },
      },
      handle: (c) => {
        const index = page?.get('/');
        if (index !== undefined) return pageResponse(c, index);
        return errorResponse(c, new ApiError(404, 'not_found', 'This process serves no page.'));
      },
    },
    {
      path: '/openapi.json',
      summary: 'This document',
      tag: 'page',
      answers: { 200: { description: 'OpenAPI 3.1', schema: document } },
      handle: (c) => {
        c.header('Cache-Control', 'no-store');
        return c.json(describe());
      },
    },
    {
      path: '/ws',
      summary: 'WebSocket, protocol 1',
      description:
        'After the upgrade the monitor sends JSON messages of the form `ServerMessage`, `hello` first, and reads ' +
        'those of the form `SubscribeMessage`.',
      tag: 'live',
      answers: { 426: { description: 'Asked without an upgrade', schema: errorAnswer } },
      handle: (c) => {
        c.header('Upgrade', 'websocket');
        return errorResponse(c, new ApiError(426, 'upgrade_required', 'This path speaks WebSocket only.'));
      },
    },
  ];
}

/** The document of an app whose routes have all been added. */
export function describeApp(app: OpenAPIHono, version: string): object {
  const { openAPIRegistry: registry } = app;
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  registry.registerComponent('securitySchemes', 'basic', { type: 'http', scheme: 'basic' });
  registry.registerComponent('securitySchemes', 'session', {
    ...{ type: 'apiKey', in: 'cookie', name: 'sync_monitor' },
    description:
      'Of the page, after /sign-in; over TLS its name begins with `__Host-`. What acts needs an Origin too.',
  });
  registry.register('ServerMessage', serverMessage);
  registry.register('SubscribeMessage', subscribeMessage);
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'customer-sync-monitor',
      version,
      description:
        'Live numbers of the customer synchronisation. Each path answers with and without its last slash.',
    },
    security: [{ bearer: [] }, { basic: [] }, { session: [] }],
  });
}
