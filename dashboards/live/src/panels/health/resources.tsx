/** What is used of the machines now, and was at most during the newest import. */
import { Value } from '../../parts/value.js';
import { clock, format, messages } from '../../state.js';
import { resources } from './state.js';
import { Table } from './table.js';
import { newestImport, type UseRow, useRows } from './uses.js';

const GIB = 2 ** 30;
/** From here on it is looked at with care, 0..1. */
const NEARLY_FULL = 0.9;

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
      <td class="number share" style={{ '--share': of.part ?? 0 }} data-level={levelOf(of.part)}>
        <Value of={of.now} as={(now) => (most === null ? amount(now) : m.of(amount(now), amount(most)))} />
      </td>
      <td class="number">
        <Value of={of.peak} as={amount} />
      </td>
    </tr>
  );
}

function levelOf(part: number | null): 'warn' | undefined {
  return part !== null && part > NEARLY_FULL ? 'warn' : undefined;
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
