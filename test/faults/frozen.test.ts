import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { keysOf } from '../../src/source/keeper.js';
import { differences } from '../monitor/oracle.js';
import { freshDatabase, sharedVersions } from '../setup/database.js';
import { type Said, startChild } from './child.js';
import { connect, insertInto, until } from './scene.js';

const TABLE = 'customer_sync_logs';
const { bellWords, channel } = keysOf('public.customer_sync_logs');

const HOLDER = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = $1::int8::oid AND objid = $2::int8::oid`;

async function keyIsHeld(client: pg.Client): Promise<boolean> {
  return (await client.query(HOLDER, [...bellWords])).rows.length > 0;
}

// Most of it is waiting for deadlines: both versions at once.
describe.concurrent.each(sharedVersions())('a monitor that stands still (PostgreSQL %i)', (version) => {
  test('frozen while armed: lets go of the key within 20 s, hinders nobody, goes on when thawed', async () => {
    const db = await freshDatabase(version);
    const portal = await connect(db.url);
    const ears = await connect(db.url);
    const heard: string[] = [];
    ears.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await ears.query(`LISTEN ${channel}`);
    const child = startChild({ databaseUrl: db.url });
    try {
      const said = async (what: string, condition: (said: Said) => boolean) => {
        let last: Said | undefined;
        await until(async () => {
          last = await child.ask();
          return condition(last);
        }, what);
        return last as Said; // until() has asked
      };
      await said('armed', ({ state }) => state.bell.mode === 'armed');
      await insertInto(portal, TABLE, 10);
      await said(
        'counted and armed',
        ({ state, snapshot }) =>
          snapshot?.windows['24h'].total_operations === 10 && state.bell.mode === 'armed',
      );
      expect(await keyIsHeld(portal)).toBe(true);

      child.signal('SIGSTOP');
      const frozen = performance.now();
      let rows = 10;
      let slowest = 0;
      while (await keyIsHeld(portal)) {
        const before = performance.now();
        await insertInto(portal, TABLE);
        rows++;
        slowest = Math.max(slowest, performance.now() - before);
        if (performance.now() - frozen > 40_000) throw new Error('the key is held for 40 s');
        await new Promise((resolve) => setTimeout(resolve, 50)); // the pace of the portal, not a wait
      }
      const released = Math.round(performance.now() - frozen);
      console.log(
        `PostgreSQL ${version}: a frozen monitor let go of the key after ${released} ms; ${rows - 10} INSERTs meanwhile, the slowest ${slowest.toFixed(1)} ms`,
      );
      expect(released).toBeLessThan(20_000);

      // What rang before has arrived when something sent later has.
      await ears.query(`NOTIFY ${channel}, 'end of the bells'`);
      await until(() => heard.includes('end of the bells'), 'heard');
      const bells = heard.length;
      await insertInto(portal, TABLE, 5);
      for (let i = 0; i < 20; i++) await insertInto(portal, TABLE);
      rows += 25;
      await ears.query(`NOTIFY ${channel}, 'end of the silence'`);
      await until(() => heard.includes('end of the silence'), 'heard');
      expect(heard).toHaveLength(bells + 1);

      child.signal('SIGCONT');
      await said(
        'counted and armed again',
        ({ state, snapshot }) =>
          snapshot?.windows['24h'].total_operations === rows &&
          snapshot.completeness.state === 'complete' &&
          state.bell.mode === 'armed',
      );
      const { snapshot, state } = await child.ask();
      expect(snapshot && (await differences(portal, snapshot))).toEqual([]);
      expect(state).toMatchObject({ resets: 0, role: 'leader', unsealedIds: 0 });

      expect(await keyIsHeld(portal)).toBe(true);
      child.signal('SIGKILL');
      const killed = performance.now();
      await until(async () => !(await keyIsHeld(portal)), 'the key is free');
      const free = Math.round(performance.now() - killed);
      console.log(`PostgreSQL ${version}: after SIGKILL the key was free within ${free} ms`);
      expect(free).toBeLessThan(2_000);
      await insertInto(portal, TABLE);
    } finally {
      await child.end();
      await portal.end();
      await ears.end();
      await db.drop();
    }
  }, 90_000);
});
