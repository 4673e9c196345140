/** Celery as the snapshot has it: the broker, workers, queues and tasks. */
import { useSignal } from '@preact/signals';
import type { CelerySummary } from '../../../../../streams/celery-summary.js';
import { Mark } from '../../parts/mark.js';
import { Value } from '../../parts/value.js';
import { clock, format, messages, snapshot } from '../../state.js';
import type { Level } from '../../status.js';
import { type TaskRow, taskRows, workerRows } from './order.js';
import { Folded, Table } from './table.js';

export function CeleryPart() {
  const m = messages.value.health.celery;
  const now = snapshot.value;
  const celery = now?.celery;
  if (celery === undefined) {
    return (
      <>
        <h3>{m.title}</h3>
        <p class="quiet">{now === null ? messages.value.noData : m.off}</p>
      </>
    );
  }
  return (
    <>
      <h3>{m.title}</h3>
      <Broker of={celery} />
      <Workers of={celery} />
      <Queues of={celery} />
      <Tasks of={celery} />
    </>
  );
}

interface Of {
  readonly of: CelerySummary;
}

function Broker({ of: { connected, since, reason, interruptions, problems, queues_reason } }: Of) {
  const m = messages.value.health;
  const { count, moment, span } = format.value;
  const from = Date.parse(since);
  return (
    <ul class="components">
      <li>
        <Mark level={connected ? 'good' : 'warn'} />
        <div>
          <p>
            <b>{connected ? m.celery.connected : m.celery.lost}</b>{' '}
            <time class="quiet" dateTime={since}>
              {m.since(moment(from, clock.value), span((clock.value - from) / 1_000))}
            </time>
          </p>
          {[reason, queues_reason, ...problems].map(
            (text) =>
              text !== null && (
                <p key={text} class="quiet" lang="en">
                  {text}
                </p>
              ),
          )}
          {interruptions > 0 && <p class="quiet">{m.celery.interruptions(count(interruptions))}</p>}
        </div>
      </li>
    </ul>
  );
}

const ROWS = 10;

function Workers({ of: { workers, workers_online, workers_up } }: Of) {
  const m = messages.value.health.celery;
  const { count, moment, span } = format.value;
  const level: Level = workers_up === null ? 'unknown' : workers_up ? 'good' : 'bad';
  const all = useSignal(false);
  const rows = workerRows(workers);
  return (
    <Folded
      title={m.workers}
      level={level}
      said={<Value of={workers_online} as={(n) => m.online(count(n))} />}
      open={workers_up === false}
    >
      {rows.length === 0 ? (
        <p class="quiet">{m.noWorkers}</p>
      ) : (
        <Table
          title={m.workers}
          heads={[m.worker, m.state, [m.active]]}
          all={all}
          rows={rows.length}
          most={ROWS}
        >
          {rows.slice(0, all.value ? undefined : ROWS).map(({ name, online, seen_by, since, active }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td data-level={online ? undefined : 'bad'} title={m.seenBy[seen_by]}>
                {online ? m.isOnline : m.isOffline}{' '}
                <time
                  class="quiet"
                  dateTime={since}
                  title={messages.value.health.since(
                    moment(Date.parse(since), clock.value),
                    m.seenBy[seen_by],
                  )}
                >
                  {span((clock.value - Date.parse(since)) / 1_000)}
                </time>
              </td>
              <td class="number">
                <Value of={active} as={count} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Folded>
  );
}

function Queues({ of: { queues, queue_length } }: Of) {
  const m = messages.value.health.celery;
  const { count, millis, span } = format.value;
  const all = useSignal(false);
  const rows = Object.entries(queues ?? {}).sort(
    ([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1),
  );
  const seconds = (value: number): string => millis(value * 1_000);
  return (
    <Folded title={m.queues} said={<Value of={queue_length} as={count} />} open>
      {rows.length > 0 && (
        <Table
          title={m.queues}
          heads={[m.queue, [m.length], [m.backlog], [m.waited], [m.waitedMax]]}
          {...{ all, rows: rows.length, most: ROWS }}
        >
          {rows.slice(0, all.value ? undefined : ROWS).map(([name, queue]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{count(queue.length)}</td>
              <td class="number">
                {queue.backlog_since === null ? (
                  <span class="quiet">{m.empty}</span>
                ) : (
                  span((clock.value - Date.parse(queue.backlog_since)) / 1_000)
                )}
              </td>
              <td class="number">
                <Value of={queue.waited_avg_seconds} as={seconds} />
              </td>
              <td class="number">
                <Value of={queue.waited_max_seconds} as={seconds} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Folded>
  );
}

function Tasks({ of: { tasks, tasks_failed, tasks_succeeded } }: Of) {
  const m = messages.value.health.celery;
  const { count } = format.value;
  const all = useSignal(false);
  const rows = taskRows(tasks);
  const heads = [
    m.task,
    ...[[m.succeeded], [m.failed], [m.retried], [m.runtime], [m.runtimeMax]],
    m.others,
  ] as const;
  return (
    <Folded
      title={m.tasks}
      said={
        <>
          {m.succeeded} {count(tasks_succeeded)}, {m.failed} {count(tasks_failed)}
        </>
      }
      open
    >
      {rows.length === 0 ? (
        <p class="quiet">{m.noTasks}</p>
      ) : (
        <Table title={m.tasks} {...{ heads, all, rows: rows.length, most: ROWS }}>
          {rows.slice(0, all.value ? undefined : ROWS).map((row) => (
            <Task key={row.name} of={row} />
          ))}
        </Table>
      )}
    </Folded>
  );
}

function Task({ of }: { readonly of: TaskRow }) {
  const { taskStates } = messages.value.health;
  const { count, millis } = format.value;
  const seconds = (value: number): string => millis(value * 1_000);
  return (
    <tr>
      <th scope="row">{of.name}</th>
      <td class="number">{count(of.succeeded)}</td>
      <td class="number" data-level={of.failed > 0 ? 'bad' : undefined}>
        {count(of.failed)}
      </td>
      <td class="number">{count(of.retried)}</td>
      <td class="number">
        <Value of={of.runtimeAvgSeconds} as={seconds} />
      </td>
      <td class="number">
        <Value of={of.runtimeMaxSeconds} as={seconds} />
      </td>
      <td class="quiet">
        {of.others.map(([state, n]) => `${taskStates[state] ?? state} ${count(n)}`).join(', ')}
      </td>
    </tr>
  );
}
