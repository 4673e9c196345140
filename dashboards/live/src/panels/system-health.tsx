/** Every component of the system and since when it is as it is; Celery, resources and schedules. */
import type { ComponentHealth } from '../../../../streams/system-health.js';
import { Mark } from '../parts/mark.js';
import { Panel } from '../parts/panel.js';
import { clock, format, health, messages } from '../state.js';
import { CeleryPart } from './health/celery.js';
import { inOrder, levelOfStatus } from './health/order.js';
import { ResourcesPart } from './health/resources.js';
import { SchedulesPart } from './health/schedules.js';

export function SystemHealthPanel() {
  return (
    <Panel id="health" title={messages.value.panels.health} aside={<Overall />}>
      <Components />
      <CeleryPart />
      <ResourcesPart />
      <SchedulesPart />
    </Panel>
  );
}

function Overall() {
  const answer = health.value.value;
  if (answer === null) return null;
  return (
    <span class="state" data-level={levelOfStatus(answer.status)}>
      <Mark level={levelOfStatus(answer.status)} />
      {messages.value.health.states[answer.status]}
    </span>
  );
}

function Components() {
  const m = messages.value.health;
  const answer = health.value.value;
  const failure = health.failure.value;
  const all = inOrder(Object.values(answer?.components ?? {}));
  const there = all.filter(({ status }) => status !== 'not_configured');
  const absent = all.filter(({ status }) => status === 'not_configured');
  return (
    <>
      {failure !== null && (
        <p class="notice" role="alert">
          {m.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {answer === null && failure === null && <p class="quiet">{messages.value.noData}</p>}
      <ul class="components">
        {there.map((component) => (
          <Component key={component.component} of={component} />
        ))}
      </ul>
      {absent.length > 0 && (
        <details class="absent">
          <summary class="quiet">{m.notConfigured(format.value.count(absent.length))}</summary>
          <ul class="components">
            {absent.map((component) => (
              <Component key={component.component} of={component} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Component({ of }: { readonly of: ComponentHealth }) {
  const m = messages.value.health;
  const { count, millis } = format.value;
  const { component, status, message, response_time_ms, consecutive_failures, since } = of;
  return (
    <li data-status={status}>
      <Mark level={levelOfStatus(status)} />
      <div>
        <p>
          <b>{messages.value.components[component] ?? component}</b>{' '}
          {status !== 'not_configured' && <span class="state">{m.states[status]}</span>}{' '}
          {since !== null && <Since at={since} />}
        </p>
        <p class="quiet">
          <span lang="en">{message}</span>
          {response_time_ms !== null && <>; {m.responds(millis(response_time_ms))}</>}
          {consecutive_failures > 1 && <>; {m.failures(count(consecutive_failures))}</>}
        </p>
      </div>
    </li>
  );
}

function Since({ at }: { readonly at: string }) {
  const { moment, span } = format.value;
  const from = Date.parse(at);
  const now = clock.value;
  return (
    <time class="quiet" dateTime={at}>
      {messages.value.health.since(moment(from, now), span((now - from) / 1_000))}
    </time>
  );
}
