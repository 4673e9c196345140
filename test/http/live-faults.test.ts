import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { endAll, setUpHub as setUp } from './hub.js';
import { row } from './view.js';

afterEach(endAll);

describe('faulty messages', () => {
  it.each([
    ['{', 'invalid_json', 'no JSON'],
    ['', 'invalid_json', 'no JSON'],
    ['[]', 'invalid_message', 'must be a JSON object'],
    ['null', 'invalid_message', 'must be a JSON object'],
    ['42', 'invalid_message', 'this is 42'],
    ['{}', 'unknown_type', '"type" is undefined'],
    ['{"type":"publish"}', 'unknown_type', '"publish"'],
    ['{"type":"subscribe"}', 'invalid_subscription', 'in "topics"'],
    ['{"type":"subscribe","topics":["news"]}', 'invalid_subscription', 'in "topics.0"'],
    ['{"type":"subscribe","topics":"events"}', 'invalid_subscription', 'in "topics"'],
    ['{"type":"subscribe","topics":[],"extra":1}', 'invalid_subscription', 'extra'],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"status":["x"]}}',
      'invalid_subscription',
      'in "filter"',
    ],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"statuses":[]}}',
      'invalid_subscription',
      'filter.statuses',
    ],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"customer_id":1.5}}',
      'invalid_subscription',
      'customer_id',
    ],
    [
      '{"type":"subscribe","topics":["events"],"since":{"epoch":"e","seq":-1}}',
      'invalid_subscription',
      'since.seq',
    ],
    [
      '{"type":"subscribe","topics":["snapshot"],"since":{"epoch":"e","seq":1}}',
      'invalid_subscription',
      'since',
    ],
  ])('%s', async (text, code, part) => {
    const { connect } = await setUp();
    const client = await connect();
    client.send(text);
    const error = await client.next('error');
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
  });

  it('end the connection at the tenth', async () => {
    const { hub, connect } = await setUp();
    const client = await connect();
    for (let count = 0; count < 12; count += 1) client.send('nonsense');
    expect(await client.closed()).toBe(1008);
    expect(client.messages.filter((message) => message.type === 'error').length).toBe(10);
    expect(hub.stats().faults).toBe(10);
  });

  it('are named and end the connection when longer than 16 KiB', async () => {
    const { connect } = await setUp();
    const client = await connect();
    const envelope = '{"type":"subscribe","topics":[]}'.length;
    client.send(`{"type":"subscribe","topics":[]${' '.repeat(16 * 1024 - envelope)}}`);
    client.send(`{"type":"subscribe","topics":[]${' '.repeat(16 * 1024 - envelope + 1)}}`);
    expect(await client.next('error')).toMatchObject({
      code: 'message_too_long',
      message: 'The message is 16385 bytes long; at most 16384 are read.',
    });
    expect(await client.closed()).toBe(1009);
  });

  it('that are longer still are not read at all', async () => {
    const { hub, connect } = await setUp();
    const client = await connect();
    client.send('x'.repeat(300 * 1024));
    expect(await client.closed()).toBe(1009);
    expect(hub.stats().socketErrors).toBe(1);
  });

  it('may be binary, which is a fault', async () => {
    const { connect } = await setUp();
    const client = await connect();
    client.socket.send(Buffer.from('{"type":"subscribe","topics":[]}'));
    expect((await client.next('error')).code).toBe('binary');
  });

  it('never harm the hub, whatever they hold', async () => {
    const { view, connect } = await setUp({ faults: 1e9, messagesPerSecond: 1e9 });
    view.tick();
    const client = await connect();
    const watch = await connect();
    await watch.settle(['events']);
    const nearly = fc.record(
      {
        type: fc.constantFrom('subscribe', 'hello', 1, null),
        topics: fc.oneof(
          fc.array(fc.constantFrom('events', 'snapshot', 'alerts', 'health', 'x')),
          fc.jsonValue(),
        ),
        filter: fc.oneof(
          fc.record({ statuses: fc.jsonValue(), customer_id: fc.jsonValue() }, { requiredKeys: [] }),
          fc.jsonValue(),
        ),
        since: fc.oneof(
          fc.record({ epoch: fc.constantFrom('epoch-1', 'x'), seq: fc.integer() }),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: ['type'] },
    );
    const messages = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      nearly.map((value) => JSON.stringify(value)),
    );
    for (const message of fc.sample(messages, 400)) client.send(message);
    await client.settle([]);
    view.fold([row()]);
    await watch.next('events');
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });
});
