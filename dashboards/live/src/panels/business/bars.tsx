import { format } from '../../state.js';
import { sharesOf } from './shares.js';

export interface BarsProps {
  readonly title: string;
  /** Null: not known yet. */
  readonly counts: Readonly<Record<string, number>> | null;
  /** The viewer's words for the names; a name without one is shown as it is. */
  readonly names: Readonly<Record<string, string>>;
  /** In place of bars where there is nothing to count. */
  readonly nothing: string;
  /** Names that are too many to be shown, in words. */
  readonly more: (names: string) => string;
}

/** A bar for each name, with its count and share written out. */
export function Bars({ title, counts, names, nothing, more }: BarsProps) {
  const { count: whole, percent } = format.value;
  if (counts === null) return null;
  const { shown, rest } = sharesOf(counts);
  return (
    <div class="bars">
      <h3>{title}</h3>
      {shown.length === 0 ? (
        <p class="quiet">{nothing}</p>
      ) : (
        <ul>
          {shown.map(({ name, count, percent: share, length }) => (
            <li key={name} style={{ '--length': length }}>
              <span>{names[name] ?? name}</span>
              <span>
                <b>{whole(count)}</b> <small>{percent(Math.round(share))}</small>
              </span>
            </li>
          ))}
          {rest !== null && (
            <li class="quiet">
              <span>{more(whole(rest.names))}</span>
              <span>{whole(rest.count)}</span>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}
