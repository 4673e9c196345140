/** What is used of the machines now, and was at most during the newest import. */
import { Value } from '../../parts/value.js';
import { clock, format, health, messages } from '../../state.js';
import { resources } from './state.js';
import { Table } from './table.js';
import { newestImport, type UseRow, useRows } from './uses.js';

const GIB = 2 ** 30;
/** A number is in the colour of the component that judges it, so that both never disagree. */
const COMPONENT: Readonly<Record<UseRow['name'], string>> = {
  memory: 'memory',
  cpu: 'cpu',
  disk: 'disk',
  connections: 'database',
  notifications: 'notification_queue',
};

export function ResourcesPart() {
  const m = messages.value.health.resources;
  const answer = resources.value.value;
  const failure = resources.failure.value;
  const run = answer && newestImport(answer);
  return (
    <>
      <h3>{m.title}</h3>
      {failure !== null && (
        <p class="quiet">
          {m.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {answer !== null && (
        <>
          <Table title={m.title} heads={[m.title, [m.now], [m.peak]]}>
            {useRows(answer.now, run?.peak ?? null).map((row) => (
              <Use key={row.name} of={row} />
            ))}
          </Table>
          <Import />
        </>
      )}
    </>
  );
}

function Use({ of }: { readonly of: UseRow }) {
  const m = messages.value.health.resources;
  const { count, number, percent } = format.value;
  const amount = (value: number): string => {
    switch (of.unit) {
      case 'ratio':
        return percent(value * 100);
      case 'count':
        return count(value);
      case 'bytes':
        return m.gib(number(Math.round((value / GIB) * 10) / 10));
    }
  };
  const { most } = of;
  return (
    <tr>
      <th scope="row">{m[of.name]}</th>
      <td class="number share" style={{ '--share': of.part ?? 0 }} data-level={levelOf(of.name)}>
        <Value of={of.now} as={(now) => (most === null ? amount(now) : m.of(amount(now), amount(most)))} />
      </td>
      <td class="number">
        <Value of={of.peak} as={amount} />
      </td>
    </tr>
  );
}

function levelOf(name: UseRow['name']): 'warn' | undefined {
  const status = health.value.value?.components[COMPONENT[name]]?.status;
  return status === 'degraded' || status === 'unhealthy' ? 'warn' : undefined;
}

function Import() {
  const m = messages.value.health.resources;
  const { count, moment } = format.value;
  const answer = resources.value.value;
  const run = answer && newestImport(answer);
  if (run === null) return <p class="quiet">{m.none}</p>;
  const began = moment(Date.parse(run.started_at), clock.value);
  const words = run.running ? m.running : m.last;
  return <p class="quiet">{words(began, count(run.rows), count(run.errors))}</p>;
}
