/** What the page takes for the form of the wire, against the schemas that the server describes itself with. */
import type { z } from '@hono/zod-openapi';
import { expectTypeOf, it } from 'vitest';
import type { AlertsAnswer, EventPage, SloAnswer } from '../../dashboards/live/src/answers.js';
import type { ServerMessage, Subscribe } from '../../dashboards/live/src/messages.js';
import type { alertsAnswer, sloAnswer } from '../../src/http/alert-schemas.js';
import type { ServerMessage as Sent, SubscribeMessage } from '../../src/http/messages.js';
import type { eventPage } from '../../src/http/schemas.js';

it('is what the server sends and reads', () => {
  // The compiler is the test; nothing of it is left at run time.
  expectTypeOf<z.infer<typeof eventPage>>().toExtend<EventPage>();
  expectTypeOf<z.infer<typeof sloAnswer>>().toExtend<SloAnswer>();
  expectTypeOf<z.infer<typeof alertsAnswer>>().toExtend<AlertsAnswer>();
  expectTypeOf<Sent['type']>().toEqualTypeOf<ServerMessage['type']>();
  expectTypeOf<Extract<Sent, { type: 'health' }>>().toExtend<Extract<ServerMessage, { type: 'health' }>>();
  expectTypeOf<Extract<Sent, { type: 'hello' }>>().toExtend<Extract<ServerMessage, { type: 'hello' }>>();
  expectTypeOf<Extract<Sent, { type: 'gap' }>>().toExtend<Extract<ServerMessage, { type: 'gap' }>>();
  expectTypeOf<Subscribe['topics'][number]>().toEqualTypeOf<SubscribeMessage['topics'][number]>();
  expectTypeOf<keyof NonNullable<Subscribe['filter']>>().toEqualTypeOf<
    keyof NonNullable<SubscribeMessage['filter']>
  >();
});
