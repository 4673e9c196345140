/** The six numbers that are looked at first, with the same time of an earlier day beside them. */
import type { ComponentChildren } from 'preact';
import type { OperationMetrics } from '../../../../streams/snapshot.js';
import { Mark } from '../parts/mark.js';
import { Value } from '../parts/value.js';
import {
  alerts,
  format,
  language,
  messages,
  operations,
  operationsBefore,
  shift,
  slo,
  snapshot,
  view,
} from '../state.js';
import { type Level, levelOfRules, worseOf } from '../status.js';

/** A tile is in the colour of the alerts that are about its number, so that both never disagree. */
const RULES = {
  operations: ['no_activity'],
  errorRate: ['high_error_rate', 'realtime_error_rate', 'failed_operations_spike'],
  p95: ['slow_response'],
  pending: ['pending_operations', 'queue_overflow'],
  budget: ['slo_fast_burn', 'slo_slow_burn'],
} as const;

export function Tiles() {
  const m = messages.value.tiles;
  const { count, number, percent, millis, points } = format.value;
  const now = operations.value;
  // Alerts are about now; they say nothing of a period of the past.
  const rules = (of: readonly string[]): readonly string[] => (view.value.zoom === null ? of : []);
  const pp = (one: number, other: number): string => m.points(points(one, other));
  return (
    <dl class="tiles" aria-label={m.title}>
      <Tile
        name={m.operations}
        rules={rules(RULES.operations)}
        value={<Value of={now?.total_operations} as={count} />}
      >
        <Before of={(at) => at.total_operations} as={count} />
      </Tile>
      <Tile
        name={m.errorRate}
        rules={rules(RULES.errorRate)}
        value={<Value of={now?.error_rate} as={percent} />}
      >
        <Before of={(at) => at.error_rate} as={percent} change={pp} />
      </Tile>
      <Tile name={m.p95} rules={rules(RULES.p95)} value={<Value of={now?.duration_p95_ms} as={millis} />}>
        <Before of={(at) => at.duration_p95_ms} as={millis} />
      </Tile>
      <Tile
        name={m.throughput}
        unit={m.perMinute}
        value={<Value of={now?.throughput_per_minute} as={number} />}
      >
        <Before of={(at) => at.throughput_per_minute} as={number} />
      </Tile>
      <Pending />
      <Budget />
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
  readonly rules?: readonly string[];
  /** Where the number itself is bad. */
  readonly level?: Level;
  readonly children: ComponentChildren;
}

function Tile({ name, value, unit, rules = [], level = 'good', children }: TileProps) {
  const fired = levelOfRules(alerts.value.value?.alerts ?? null, rules);
  const shown = worseOf(fired, level);
  return (
    <div class="tile" data-level={shown}>
      <dt>
        {name}
        {shown !== 'good' && (
          <span class="flag">
            <Mark level={shown} />
            {fired !== 'good' && <span class="unseen">{messages.value.tiles.alert}</span>}
          </span>
        )}
      </dt>
      <dd class="big">
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </dd>
      <dd class="note">{children}</dd>
    </div>
  );
}

/** The same number that many days before, and how far the present one is from it. */
function Before({
  of,
  as,
  change,
}: {
  readonly of: (metrics: OperationMetrics) => number | null;
  readonly as: (value: number) => string;
  readonly change?: (now: number, before: number) => string | null;
}) {
  const past = operationsBefore.value;
  const before = past && of(past);
  const now = operations.value && of(operations.value);
  const difference = now === null || before === null ? null : (change ?? format.value.change)(now, before);
  return (
    <>
      <span>
        {messages.value.tiles.before(shift.value)} <Value of={before} as={as} />
      </span>
      {difference !== null && <span class="change">{difference}</span>}
    </>
  );
}

/** Who waited yesterday is not kept: beside it stands how long the first in the queue waits. */
function Pending() {
  const m = messages.value.tiles;
  const { count, span } = format.value;
  const queue = snapshot.value?.queue;
  const pending = queue?.pending_operations;
  return (
    <Tile name={m.pending} rules={RULES.pending} value={<Value of={pending} as={count} />}>
      {pending === 0 ? (
        <span>{m.nobodyWaits}</span>
      ) : (
        <span>
          {m.oldest} <Value of={queue?.oldest_age_seconds} as={span} />
        </span>
      )}
    </Tile>
  );
}

function Budget() {
  const m = messages.value.tiles;
  const { percent, number } = format.value;
  const answer = slo.value.value;
  const left = answer?.error_budget_remaining_ratio ?? null;
  return (
    <Tile
      name={m.budget}
      rules={RULES.budget}
      level={left !== null && left <= 0 ? 'bad' : 'good'}
      value={<Value of={left} as={(ratio) => percent(ratio * 100)} />}
    >
      <span title={answer?.summary[language.value] ?? ''}>
        <Value
          of={answer}
          as={({ target_percent, window_days, summary, budget_gone_in_seconds }) =>
            budget_gone_in_seconds === null
              ? m.target(percent(target_percent), number(window_days))
              : summary[language.value]
          }
        />
      </span>
    </Tile>
  );
}
