/** What runs by itself: when it ran last, how that went, and when it runs next. */
import type { ScheduleState } from '../../../../../streams/schedules.js';
import { Value } from '../../parts/value.js';
import { clock, format, messages } from '../../state.js';
import { schedules } from './state.js';
import { Folded, Table } from './table.js';

export function SchedulesPart() {
  const m = messages.value.health.schedules;
  const failure = schedules.failure.value;
  const rows = schedules.value.value?.schedules ?? null;
  const { count } = format.value;
  if (rows === null || rows.length === 0) {
    return (
      <>
        <h3>{m.title}</h3>
        <p class="quiet">
          {failure === null ? (
            rows === null ? (
              messages.value.noData
            ) : (
              m.none
            )
          ) : (
            <>
              {m.failedToRead} <span lang="en">{failure.message}</span>
            </>
          )}
        </p>
      </>
    );
  }
  const failing = rows.filter(({ consecutive_failures }) => consecutive_failures > 0).length;
  return (
    <Folded
      title={m.title}
      level={failing > 0 ? 'warn' : 'good'}
      said={failing > 0 ? m.bad(count(failing)) : m.well(count(rows.length))}
      open={failing > 0}
    >
      <Table title={m.title} heads={[m.name, m.last, [m.took], [m.next], [m.runs], [m.failures]]}>
        {rows.map((row) => (
          <Schedule key={row.name} of={row} />
        ))}
      </Table>
    </Folded>
  );
}

/** Each component that is checked has a schedule of its own, `health:<component>`. */
function nameOf(schedule: string): string {
  const m = messages.value;
  const component = /^health:(.+)$/.exec(schedule)?.[1];
  if (component === undefined) return m.health.schedules.names[schedule] ?? schedule;
  return m.health.schedules.check(m.components[component] ?? component);
}

function Schedule({ of }: { readonly of: ScheduleState }) {
  const m = messages.value.health.schedules;
  const { count, millis, moment } = format.value;
  const at = (iso: string): string => moment(Date.parse(iso), clock.value);
  return (
    <tr>
      <th scope="row" title={of.cron ?? undefined}>
        {nameOf(of.name)}
      </th>
      <td data-level={of.consecutive_failures > 0 ? 'bad' : undefined}>
        {of.last_run_at === null ? <span class="quiet">{m.never}</span> : at(of.last_run_at)}{' '}
        {of.running ? m.running : of.last_outcome !== null && m.outcomes[of.last_outcome]}
        {of.last_message !== null && of.last_outcome !== 'succeeded' && (
          <p class="quiet" lang="en">
            {of.last_message}
          </p>
        )}
      </td>
      <td class="number">
        <Value of={of.last_duration_ms} as={millis} />
      </td>
      <td class="number">
        <Value of={of.next_run_at} as={at} />
      </td>
      <td class="number">{count(of.runs)}</td>
      <td class="number" data-level={of.failures > 0 ? 'warn' : undefined}>
        {count(of.failures)}
      </td>
    </tr>
  );
}
