import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  eventsQuery,
  isFiltered,
  matcher,
  subscribeFilter,
  toggled,
} from '../../dashboards/live/src/panels/feed/filter.js';
import { type FeedFilter, NO_FILTER } from '../../dashboards/live/src/view.js';
import { parseEventRequest } from '../../src/http/event-request.js';
import { readMessage } from '../../src/http/subscription.js';
import { row } from './feed-rows.js';

const filters: fc.Arbitrary<FeedFilter> = fc.record({
  types: fc.uniqueArray(fc.constantFrom('created', 'export_to_1c', 'a type'), { maxLength: 3 }),
  statuses: fc.uniqueArray(fc.constantFrom('success', 'error', 'pending'), { maxLength: 3 }),
  correlation: fc.constantFrom('', 'c-1', 'c-2'),
  customer: fc.constantFrom('', '7', '9007199254740993'),
  text: fc.constantFrom('', 'TimeOut', 'none'),
});
const rows = fc.record({
  operation_type: fc.constantFrom('created', 'export_to_1c', 'a type', 'updated'),
  status: fc.constantFrom('success', 'error', 'pending', 'failed'),
  correlation_id: fc.constantFrom(null, 'c-1', 'c-2'),
  customer_id: fc.constantFrom(null, 7, 8, '9007199254740993'),
  error_message: fc.constantFrom(null, 'a timeout of 1C', ''),
});

describe('the filter of the feed', () => {
  it('is one that the server reads, and never hides from the page what the page would show', () => {
    fc.assert(
      fc.property(filters, rows, (filter, of) => {
        const message = { type: 'subscribe', topics: ['events'], filter: subscribeFilter(filter) };
        const read = readMessage(JSON.stringify(message));
        if ('code' in read) throw new Error(read.message);
        const event = { ...row(1, of), seq: 1, change: 'insert' as const };
        if (matcher(filter)(event)) expect(read.filter?.matches(event) ?? true).toBe(true);
      }),
    );
  });

  it('asks the API for the same', () => {
    const query = eventsQuery(
      {
        types: ['created', 'updated'],
        statuses: ['error'],
        correlation: 'c-1',
        customer: '9007199254740993',
        text: 'x',
      },
      '42',
      500,
    );
    expect(parseEventRequest(new URLSearchParams(query))).toEqual({
      filter: {
        types: ['created', 'updated'],
        statuses: ['error'],
        correlationId: 'c-1',
        customerId: '9007199254740993',
      },
      beforeId: '42',
      limit: 500,
    });
    expect(eventsQuery(NO_FILTER, null, 100)).toEqual({ limit: '100' });
  });

  it('hears of a waiting row that it waits no more', () => {
    const filter = { ...NO_FILTER, types: ['created'], statuses: ['pending'] };
    expect(subscribeFilter(filter)).toEqual({ operation_types: ['created'] });
    expect(subscribeFilter({ ...filter, statuses: ['error'] })).toHaveProperty('statuses', ['error']);
  });

  it.each([
    ['Timeout', 'a timeOUT of 1C', true],
    ['срок', 'Истёк СРОК ответа', true],
    ['<b>', 'a <b>bold</b> word', true],
    ['timeout', null, false],
    ['.*', 'a timeout', false],
  ])('finds %j in %j: %s', (text, error_message, found) => {
    expect(matcher({ ...NO_FILTER, text })(row(1, { error_message }))).toBe(found);
  });

  it('compares ids by their value', () => {
    const matches = matcher({ ...NO_FILTER, customer: '007' });
    expect([matches(row(1, { customer_id: 7 })), matches(row(1, { customer_id: 70 }))]).toEqual([
      true,
      false,
    ]);
  });

  it('knows whether it says anything, and takes words in and out', () => {
    expect([isFiltered(NO_FILTER), isFiltered({ ...NO_FILTER, text: 'x' })]).toEqual([false, true]);
    expect(toggled(toggled(['a'], 'b'), 'a')).toEqual(['b']);
  });
});
