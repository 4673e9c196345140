/** This host and the settings: disk, access, what is shown to Prometheus. */
import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { type Finding, fault, ok, together, warning } from './check.js';

const DISK_LIMIT = 0.9;
const GIB = 2 ** 30;

/** The disk of the folder where the monitor keeps its data. */
export async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, blocks, bfree, bsize } = await statfs(folder);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  // As df counts: what is reserved for root is neither used nor free.
  const used = (blocks - bfree) / Math.max(1, blocks - bfree + bavail);
  return judgeDisk({ folder, used, freeBytes: bavail * bsize, writable });
}

export interface Disk {
  readonly folder: string;
  /** 0..1 */
  readonly used: number;
  readonly freeBytes: number;
  readonly writable: boolean;
}

export function judgeDisk({ folder, used, freeBytes, writable }: Disk): Finding {
  const space = `${(used * 100).toFixed(0)} % of the disk of ${folder} is used, ${(freeBytes / GIB).toFixed(1)} GiB are free`;
  const findings: Finding[] = [];
  if (used > DISK_LIMIT)
    findings.push(
      (freeBytes < GIB / 10 ? fault : warning)(
        `${space}.`,
        `Make room, or start the monitor in a folder on another disk.`,
      ),
    );
  if (!writable)
    findings.push(
      warning(
        `${folder} cannot be written to by this account.`,
        'Start the monitor in a folder of its own (what it keeps lies under ./data).',
      ),
    );
  return together(findings, `${space}.`);
}

export interface AccessSettings {
  readonly host: string;
  readonly loopback: boolean;
  readonly auth: 'on' | 'off';
  readonly tokens: Readonly<Record<'AUTH_TOKEN' | 'VIEWER_TOKEN' | 'METRICS_TOKEN', string | null>>;
}

const SHORTEST_TOKEN = 16;

/** Who gets in. Tokens themselves are never part of a message. */
export function judgeAccess({ host, loopback, auth, tokens }: AccessSettings): Finding {
  const findings: Finding[] = [];
  const parts = Object.entries(tokens).map(
    ([key, value]) => [key, value?.split(/\s+/).filter(Boolean) ?? []] as const,
  );
  if (auth === 'off' && !loopback)
    findings.push(
      warning(
        `AUTH=off on HOST ${host}: everybody who reaches the port sees customers' data.`,
        'Set AUTH_TOKEN and remove AUTH=off, unless something in front lets in only whom it knows.',
      ),
    );
  for (const [key, values] of parts)
    if (values.some((token) => token.length < SHORTEST_TOKEN))
      findings.push(
        warning(
          `${key} is shorter than ${SHORTEST_TOKEN} characters and can be guessed.`,
          `Set ${key} to a random one: openssl rand -hex 24.`,
        ),
      );
  for (const [at, [key, values]] of parts.entries())
    for (const [other, others] of parts.slice(at + 1))
      if (values.some((token) => others.includes(token)))
        findings.push(
          warning(
            `A token of ${other} is one of ${key} too, and may all that ${key} may.`,
            `Give ${other} a token of its own.`,
          ),
        );
  const asked = parts.filter(([, values]) => values.length > 0).map(([key]) => key);
  return together(
    findings,
    auth === 'off'
      ? `AUTH=off on HOST ${host}: open to this machine.`
      : asked.length > 0
        ? `HOST ${host}: asked for is ${asked.join(' or ')}.`
        : `HOST ${host} is this machine alone, where everything is open; Host and Origin are checked.`,
  );
}

export function judgePrometheus(enabled: boolean, open: boolean): Finding {
  if (!enabled) return ok('PROMETHEUS_METRICS_ENABLED=false: /metrics answers 404, as asked.');
  return ok(
    `/metrics is on${open ? '' : '; a scraper has to send METRICS_TOKEN (or another token) as Bearer'}.`,
  );
}

/** Receivers come with the alerts of a later version; their settings are names that are kept free. */
export function judgeWebhooks(): Finding {
  return ok('Not configured: this version sends no notices yet, and does not read WEBHOOK_ALERT_URL.');
}
