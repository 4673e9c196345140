/** What `--since`, `--until` and `--url` may say. */

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time in ms of the Unix epoch: `30s`, `10m`, `2h`, `1d` before now, or an ISO 8601 date or time.
 * @throws with the allowed forms.
 */
export function parseSince(text: string, now: number, flag = '--since'): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new Error(
      `${flag} is ${JSON.stringify(text)}; allowed: 30s, 10m, 2h, 1d or an ISO 8601 time such as 2026-01-31T12:00:00Z`,
    );
  }
  return time;
}

/**
 * The address of a monitor's feed: `ws:`, `wss:`, `http:` or `https:`; a bare host gets the path `/ws`.
 * @throws with the allowed forms.
 */
export function parseFeedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^(ws|http)s?:$/.test(url.protocol) || url.hash !== '') {
    throw new Error(`--url is ${JSON.stringify(text)}; allowed: an address such as ws://127.0.0.1:8080/ws`);
  }
  url.protocol = url.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/ws';
  return url.href;
}

/** Another path of the monitor that has this feed: `ws://host/ws` has its API at `http://host/api/`. */
export function apiUrlOf(feed: string, path: string): string {
  const url = new URL(feed);
  url.protocol = url.protocol.replace('ws', 'http');
  url.pathname = url.pathname.replace(/(\/ws)?\/?$/, path);
  url.search = '';
  return url.href;
}
