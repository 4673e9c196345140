import { messages } from '../state.js';

/** A value as it is written, or a dash that is read out as "no data": nothing never looks like zero. */
export function Value<T>({
  of,
  as,
}: {
  readonly of: T | null | undefined;
  readonly as: (value: T) => string;
}) {
  if (of !== null && of !== undefined) return <>{as(of)}</>;
  const { noData } = messages.value;
  return (
    <span class="none" title={noData}>
      <span aria-hidden="true">–</span>
      <span class="unseen">{noData}</span>
    </span>
  );
}
