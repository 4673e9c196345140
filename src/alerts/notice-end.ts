/** What the log says of a notice that ended. */
import type { AlertLog } from './db.js';
import type { Notice } from './notice.js';

const HOUR_MS = 3_600_000;

/** What was not delivered and ought to have been is told loudly, each of them. */
export function tellEnd(notice: Notice, log: AlertLog): void {
  const { outcome, receiver, rule, kind, attempts, dueFrom, reason, doneAt } = notice;
  const fields = { event_type: `notice_${outcome}`, receiver, rule, kind, attempts, reason };
  const what = `the ${kind} notice of ${rule} for ${receiver}`;
  switch (outcome) {
    case 'given_up': {
      const hours = Math.round(((doneAt ?? dueFrom) - dueFrom) / HOUR_MS);
      log.error(
        fields,
        `${what} is given up after ${hours} h and ${attempts} attempts: ${reason ?? 'not tried'}`,
      );
      break;
    }
    case 'dropped':
      log.error(fields, `${what} is dropped: too many notices wait`);
      break;
    case 'no_receiver':
      log.error(fields, `${what} is dropped: no receiver of that name is configured any more`);
      break;
    case 'gone':
      log.warn(fields, `${what} is not sent: the receiver said 410`);
      break;
    case 'silenced':
      log.info(fields, `${what} was not sent: silenced`);
      break;
    case 'rate_limited':
      log.info(fields, `${what} was not sent: within the rate limit`);
      break;
  }
}
