import { afterEach, describe, expect, it } from 'vitest';
import { HandDrivenAlerts } from './alerts-view.js';
import { endAll, setUpHub } from './hub.js';
import { row } from './view.js';

afterEach(endAll);

async function setUp(limits: Parameters<typeof setUpHub>[0] = {}) {
  const made = await setUpHub(limits);
  const alerts = new HandDrivenAlerts();
  made.view.alertsView = alerts;
  // Alerts are looked for with each snapshot.
  made.view.tick();
  return { ...made, alerts };
}

describe('alerts on the WebSocket', () => {
  it('come one for each transition, to those who asked for them', async () => {
    const { alerts, connect } = await setUp();
    const [client, other] = [await connect(), await connect()];
    await client.settle(['alerts']);
    await other.settle(['events']);
    for (const rule of ['a', 'a', 'b']) alerts.transition(rule);
    const seen = [await client.next('alert'), await client.next('alert'), await client.next('alert')];
    expect(seen.map(({ rule }) => rule)).toEqual(['a', 'a', 'b']);
    expect(seen[0]).toEqual({
      ...{ type: 'alert', id: 'a-1', rule: 'a', severity: 'critical', kind: 'firing', state: 'firing' },
      ...{ at: '2026-03-01T12:00:00.000Z', starts_at: '2026-03-01T12:00:00.000Z', ends_at: null },
      ...{ title: 'Errors', message: 'xxxxxxxxxx', value: 25.13, peak: 25.13, threshold: 10 },
      ...{ reason: 'over', evidence: null },
    });
    await other.settle(['events']);
    expect(other.messages.map(({ type }) => type)).not.toContain('alert');
  });

  it('follow the rows that led to them', async () => {
    // Events wait for company here, so that only the alert can have sent them.
    const { view, alerts, connect } = await setUp({ eventBatchMs: 60_000 });
    const client = await connect();
    await client.settle(['events', 'alerts']);
    view.fold([row()]);
    await client.next('events');
    view.fold([row({ status: 'error' })]);
    alerts.transition('a');
    expect((await client.next('events')).events).toMatchObject([{ status: 'error' }]);
    await client.next('alert');
  });

  it('come from alerts that are there later than the hub, and from no others', async () => {
    const { view, alerts, connect } = await setUp();
    const client = await connect();
    await client.settle(['alerts']);
    const later = new HandDrivenAlerts();
    view.alertsView = later;
    view.tick();
    alerts.transition('old');
    later.transition('new');
    expect((await client.next('alert')).rule).toBe('new');
    expect(alerts.transitions$.observed).toBe(false);
  });

  it('are listened to no longer than the hub lives', async () => {
    const { hub, alerts } = await setUp();
    expect(alerts.transitions$.observed).toBe(true);
    await hub.close(10);
    expect(alerts.transitions$.observed).toBe(false);
  });

  it('reach a slow client that skips snapshots and loses events, all of them', async () => {
    const { view, hub, alerts, connect } = await setUp({ eventBufferBytes: 1, snapshotBufferBytes: 1 });
    const client = await connect();
    await client.settle(['snapshot', 'events', 'alerts']);
    client.tcp.pause();
    while (hub.stats().droppedEvents === 0) {
      // Until the socket's own buffers are full.
      alerts.transition('filler', 100_000);
      view.fold([row()]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const rule of ['a', 'b', 'c']) alerts.transition(rule);
    client.tcp.resume();
    const seen: string[] = [];
    while (seen.length < 3) {
      const { rule } = await client.next('alert');
      if (rule !== 'filler') seen.push(rule);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('end the connection of a client that is too far behind, and no other', async () => {
    const limit = 1024 * 1024;
    const { hub, alerts, connect } = await setUp({ alertBufferBytes: limit });
    const [slow, quick] = [await connect(), await connect()];
    await slow.settle(['alerts']);
    await quick.settle(['alerts']);
    slow.tcp.pause();
    let sent = 0;
    while (hub.stats().closedSlow === 0) {
      sent += 1;
      alerts.transition(`rule_${sent}`, 100_000);
      expect((await quick.next('alert')).rule).toBe(`rule_${sent}`);
    }
    alerts.transition('last');
    expect((await quick.next('alert')).rule).toBe('last');
    slow.tcp.resume();
    expect(await slow.closed()).toBe(1013);
    // What it got has no hole: it knows from when on to ask.
    const got = slow.messages.flatMap((message) => (message.type === 'alert' ? [message.rule] : []));
    expect(got).toEqual(Array.from({ length: got.length }, (_, i) => `rule_${i + 1}`));
    expect(got.length).toBeLessThan(sent);
    expect(hub.stats().closedSlow).toBe(1);
  });
});
