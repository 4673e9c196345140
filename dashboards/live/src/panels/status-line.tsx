/** Whether all is well, or what is wrong and since when; how fresh and how complete the numbers are. */
import type { ComponentChildren } from 'preact';
import { Mark } from '../parts/mark.js';
import { Value } from '../parts/value.js';
import { clock, connection, format, issues, level, live, messages, snapshot } from '../state.js';
import type { Issue, Level } from '../status.js';

/** More of them would push the numbers off the screen. */
const SHOWN = 3;

/** The reader is behind by more than a poll, ms; by more than anybody would call live. */
const BEHIND = { warn: 2_000, bad: 15_000 } as const;

export function StatusLine() {
  const m = messages.value;
  const list = issues.value;
  const rest = list.slice(SHOWN);
  return (
    <section class="status" data-level={level.value} aria-label={m.status.title}>
      <div class="verdict">
        <p role="status">
          <Mark level={level.value} />
          <strong>{m.status[level.value]}</strong>
        </p>
        {list.length > 0 && (
          <ul>
            {list.slice(0, SHOWN).map((issue) => (
              <IssueLine key={`${issue.kind} ${issue.name}`} issue={issue} />
            ))}
          </ul>
        )}
        {rest.length > 0 && (
          <details>
            <summary>{m.status.more(rest.length)}</summary>
            <ul>
              {rest.map((issue) => (
                <IssueLine key={`${issue.kind} ${issue.name}`} issue={issue} />
              ))}
            </ul>
          </details>
        )}
      </div>
      <dl class="facts">
        <Freshness />
        <Completeness />
        <ConnectionFact />
      </dl>
    </section>
  );
}

/** What it is about, in the viewer's language; the sentence is the monitor's. */
function subjectOf({ kind, name }: Issue): string {
  const m = messages.value;
  switch (kind) {
    case 'connection':
      return m.status.disconnected;
    case 'component':
      return m.components[name] ?? name;
    case 'completeness':
      return `${m.completeness.title}: ${(m.completeness as Readonly<Record<string, string>>)[name] ?? name}`;
    case 'alert':
      return m.status.alert;
  }
}

function IssueLine({ issue }: { readonly issue: Issue }) {
  return (
    <li>
      <Mark level={issue.level} />
      <span>
        <b>{subjectOf(issue)}</b>
        {issue.message !== null && (
          <span lang={issue.kind === 'alert' ? undefined : 'en'}> {issue.message}</span>
        )}
        {issue.since !== null && <Since at={issue.since} />}
      </span>
    </li>
  );
}

function Since({ at }: { readonly at: string }) {
  const { moment, span } = format.value;
  const from = Date.parse(at);
  const now = clock.value;
  return (
    <time dateTime={at}> {messages.value.status.since(moment(from, now), span((now - from) / 1_000))}</time>
  );
}

function Fact({
  name,
  level: of,
  children,
}: {
  readonly name: string;
  readonly level: Level;
  readonly children: ComponentChildren;
}) {
  return (
    <div data-level={of}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Freshness() {
  const m = messages.value.freshness;
  const { millis, time } = format.value;
  const { state } = connection.value;
  const at = snapshot.value?.at;
  const lag = snapshot.value?.lag_ms ?? null;
  if (state !== 'open' && at !== undefined) {
    return (
      <Fact name={m.asOf} level="bad">
        {time(Date.parse(at))}
      </Fact>
    );
  }
  const of = lag === null ? 'unknown' : lag < BEHIND.warn ? 'good' : lag < BEHIND.bad ? 'warn' : 'bad';
  return (
    <Fact name={m.lag} level={of}>
      <Value of={lag} as={millis} />
    </Fact>
  );
}

function Completeness() {
  const m = messages.value.completeness;
  // Of old numbers nobody knows what is missing by now.
  const known = connection.value.state !== 'lost';
  const found = (known && snapshot.value?.completeness) || null;
  const { percent } = format.value;
  const share = found?.ratio ?? null;
  return (
    <Fact name={m.title} level={found === null ? 'unknown' : found.state === 'complete' ? 'good' : 'warn'}>
      {found === null ? m.unknown : m[found.state]}
      {found !== null && found.state !== 'complete' && share !== null && ` ${percent(share * 100)}`}
    </Fact>
  );
}

function ConnectionFact() {
  const m = messages.value.connection;
  const { state, since } = connection.value;
  if (state !== 'lost') {
    return (
      <Fact name={m.title} level={state === 'open' ? 'good' : 'unknown'}>
        {m[state]}
      </Fact>
    );
  }
  const lost = format.value.span((clock.value - Date.parse(since)) / 1_000);
  return (
    <Fact name={m.title} level="bad">
      {m.lost(lost)}{' '}
      <button type="button" onClick={() => live.retry()}>
        {m.retry}
      </button>
    </Fact>
  );
}
