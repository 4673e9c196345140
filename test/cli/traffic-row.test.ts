import { describe, expect, it } from 'vitest';
import { createRandom, logNormal, uuid, waitingTime } from '../../src/cli/traffic-random.js';
import { CALM, generateRow } from '../../src/cli/traffic-row.js';
import { Forecast, INCIDENT_STARTS_MS } from '../../src/cli/traffic-weather.js';
import { OPERATION_TYPES, STATUSES } from '../../streams/event.js';

const rows = (seed: number, n: number, mood = CALM) => {
  const random = createRandom(seed);
  return Array.from({ length: n }, () => generateRow(random, mood));
};

describe('sample rows', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(rows(7, 50)).toEqual(rows(7, 50));
    expect(rows(7, 50)).not.toEqual(rows(8, 50));
  });

  it('have all 12 types by weight, known statuses and details of about 500 bytes', () => {
    const sample = rows(1, 20_000);
    const share = (type: string) =>
      sample.filter((row) => row.operation_type === type).length / sample.length;
    expect(new Set(sample.map((row) => row.operation_type))).toEqual(new Set(OPERATION_TYPES));
    expect(share('import_from_1c')).toBeGreaterThan(0.2);
    expect(share('error')).toBeLessThan(0.01);
    expect(STATUSES).toEqual(expect.arrayContaining([...new Set(sample.map((row) => row.status))]));
    const bytes = sample.reduce((sum, row) => sum + row.details.length, 0) / sample.length;
    expect(bytes).toBeGreaterThan(450);
    expect(bytes).toBeLessThan(600);
  });

  it('carry the business keys in every spelling', () => {
    const keys = new Set(rows(2, 20_000).flatMap((row) => Object.keys(JSON.parse(row.details))));
    for (const key of [
      ...['conflict_source', 'conflict_type', 'search_method', 'identification_method', 'method'],
      ...['email_sent', 'operation_name', 'total_count', 'success_count', 'error_count'],
    ]) {
      expect(keys).toContain(key);
    }
  });

  it('hold no real personal data: addresses are of reserved domains, tax numbers of region 00', () => {
    for (const row of rows(3, 20_000)) {
      if (row.customer_email) expect(row.customer_email).toMatch(/@example\.(com|org|net)$/);
      const digits = row.error_message?.match(/(?<!\d)\d{10}(?!\d)/)?.[0];
      if (digits) expect(digits.startsWith('00')).toBe(true);
    }
  });

  it('have no duration while pending, and an ending that has one', () => {
    const pending = rows(4, 20_000).filter((row) => row.status === 'pending');
    expect(pending.length).toBeGreaterThan(200);
    for (const row of pending) {
      expect(row.duration_ms).toBeNull();
      expect(row.ending?.status).not.toBe('pending');
      expect(row.ending?.duration_ms).toBeGreaterThanOrEqual(0);
    }
  });

  it('follow the mood', () => {
    const faults = (mood: typeof CALM) => {
      const sample = rows(5, 5_000, mood);
      return sample.filter((row) => ['error', 'failed'].includes((row.ending ?? row).status)).length / 5_000;
    };
    expect(faults(CALM)).toBeLessThan(0.05);
    expect(faults({ ...CALM, errors: 0.4 })).toBeGreaterThan(0.35);
    const stuck = rows(6, 5_000, { ...CALM, stuck: true }).filter((row) => row.status === 'pending');
    expect(stuck.length).toBeGreaterThan(2_000);
    expect(stuck.every((row) => row.ending?.afterMs === Number.POSITIVE_INFINITY)).toBe(true);
  });

  it('keep durations within the range of the column however slow it gets', () => {
    for (const row of rows(9, 2_000, { ...CALM, slowness: 1e9 })) {
      if (row.duration_ms !== null) expect(row.duration_ms).toBeLessThanOrEqual(2 ** 31 - 1);
    }
  });
});

describe('seeded randomness', () => {
  it('has the stated median and rate', () => {
    const random = createRandom(11);
    const draws = Array.from({ length: 20_001 }, () => logNormal(random, 180, 0.6)).sort((a, b) => a - b);
    expect(draws[10_000]).toBeGreaterThan(170);
    expect(draws[10_000]).toBeLessThan(190);
    const waits = Array.from({ length: 20_000 }, () => waitingTime(random, 20));
    expect(waits.reduce((sum, ms) => sum + ms, 0) / 20_000).toBeCloseTo(50, -1);
    expect(uuid(random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('the forecast', () => {
  it('has spells of errors and slowness, and bulk imports, within ten minutes', () => {
    const forecast = new Forecast(createRandom(1), []);
    let [errors, slow, bulks] = [0, 0, 0];
    for (let t = 0; t < 600_000; t += 1_000) {
      const weather = forecast.at(t);
      if (weather.errors > 0) errors += 1;
      if (weather.slowness > 1) slow += 1;
      if (forecast.bulkDue(t)) bulks += 1;
      expect(weather.stopped || weather.stuck).toBe(false);
    }
    expect(errors).toBeGreaterThan(15);
    expect(errors).toBeLessThan(300);
    expect(slow).toBeGreaterThan(25);
    expect(bulks).toBeGreaterThan(0);
    expect(bulks).toBeLessThan(5);
  });

  it.each([
    ['errors', { errors: 0.4 }],
    ['slow', { slowness: 10 }],
    ['stopped', { stopped: true }],
    ['backlog', { stuck: true }],
  ] as const)('lets the incident %s begin after a quiet start, and stay', (incident, expected) => {
    const forecast = new Forecast(createRandom(1), [incident]);
    expect(forecast.at(0)).toMatchObject({ errors: 0, slowness: 1, stopped: false, stuck: false });
    expect(forecast.at(INCIDENT_STARTS_MS)).toMatchObject(expected);
    expect(forecast.at(3_600_000)).toMatchObject(expected);
  });
});
