import { isIP } from 'node:net';
import pg from 'pg';
import type { Link } from './connection.js';

export type ConnectionFault =
  | 'wrong_host'
  | 'refused'
  | 'unreachable'
  | 'wrong_password'
  | 'no_password'
  | 'role_missing'
  | 'not_allowed'
  | 'database_missing'
  | 'tls_demanded'
  | 'tls_refused'
  | 'tls_untrusted'
  | 'too_many_connections'
  | 'starting'
  | 'startup_parameter'
  | 'other';

/** The first connection could not be made. The message is one sentence that says what is wrong, and `remedy` what helps. */
export class CannotConnectError extends Error {
  readonly fault: ConnectionFault;
  readonly remedy: string;
  constructor(fault: ConnectionFault, message: string, remedy: string, cause: unknown) {
    super(message, { cause });
    this.name = 'CannotConnectError';
    this.fault = fault;
    this.remedy = remedy;
  }
}

type Explanation = readonly [fault: ConnectionFault, what: string, remedy: string];

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/;

/** Says in one sentence why `url` could not be connected to. The URL's password is never part of it. */
export function explainConnection(error: unknown, url: string): CannotConnectError {
  const words = wordsOf(error);
  const [fault, what, remedy] = explain(codeOf(error), words, placeOf(url));
  return new CannotConnectError(fault, `The database cannot be used: ${what} (${words}).`, remedy, error);
}

/** Connects for the first time. @throws CannotConnectError that says what is wrong and what helps */
export async function connectOrExplain(link: Link, url: string): Promise<void> {
  try {
    await link.connect();
  } catch (error) {
    const { fault, message, remedy } = explainConnection(error, url);
    throw new CannotConnectError(fault, `${message} ${remedy}`, remedy, error);
  }
}

interface Place {
  readonly host: string;
  readonly role: string;
  readonly database: string;
}

function explain(code: string, words: string, { host, role, database }: Place): Explanation {
  if (UNTRUSTED.test(code)) return untrusted(host);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['wrong_host', `the host of ${host} is not known`, 'Correct the host name in DATABASE_URL.'];
    case 'ECONNREFUSED':
    case 'ENOENT':
      return [
        'refused',
        `nobody listens at ${host}`,
        'Start PostgreSQL, correct host and port in DATABASE_URL, or let it listen there (listen_addresses).',
      ];
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable(host);
    case '28P01':
      return [
        'wrong_password',
        `the password is not that of role ${role}`,
        'Correct the password in DATABASE_URL; characters such as @ : / have to be percent-encoded there.',
      ];
    case '3D000':
      return [
        'database_missing',
        `there is no such database at ${host}`,
        'Correct its name in DATABASE_URL.',
      ];
    case '42501':
      return [
        'not_allowed',
        `role ${role} may not connect to database ${database}`,
        `The owner has to run: GRANT CONNECT ON DATABASE "${database}" TO "${role}";`,
      ];
    case '53300':
      return [
        'too_many_connections',
        'no connection is free',
        'End sessions that nobody needs, or raise max_connections (or the CONNECTION LIMIT of role or database).',
      ];
    case '57P03':
      return ['starting', 'the server does not accept connections now', 'Try again in a moment.'];
    case '28000':
      return notAuthorised(words, { host, role, database });
  }
  return byWords(words, { host, role, database });
}

function notAuthorised(words: string, { host, role, database }: Place): Explanation {
  if (/does not exist/.test(words))
    return ['role_missing', `there is no role ${role}`, 'Correct the role in DATABASE_URL, or create it.'];
  if (/no encryption|SSL off/i.test(words)) return demanded(host);
  return [
    'not_allowed',
    `the server does not let role ${role} in from here`,
    `Add a line for database "${database}" and role "${role}" to the server's pg_hba.conf, then SELECT pg_reload_conf();`,
  ];
}

/** Faults that come without a code: the driver's own, and a pooler's. */
function byWords(words: string, { host, role, database }: Place): Explanation {
  if (/does not support SSL/i.test(words))
    return [
      'tls_refused',
      `${host} does not speak TLS, and DATABASE_URL demands it`,
      'Remove sslmode from DATABASE_URL (or say sslmode=disable), or set ssl = on on the server.',
    ];
  if (/unsupported startup parameter/i.test(words))
    return [
      'startup_parameter',
      `the pooler at ${host} does not let a setting of DATABASE_URL through`,
      "Remove it from DATABASE_URL, connect directly, or add it to pgbouncer's ignore_startup_parameters.",
    ];
  if (/SSL required|TLS required/i.test(words)) return demanded(host);
  if (/self.signed certificate|unable to (verify|get)|certificate/i.test(words)) return untrusted(host);
  if (/password must be a (non-empty )?string|no password/i.test(words))
    return [
      'no_password',
      `the server asks for a password of role ${role}, and there is none`,
      'Put it into DATABASE_URL, after the role and a colon.',
    ];
  if (/authentication failed|SASL|no such user/i.test(words))
    return ['wrong_password', `the password is not that of role ${role}`, 'Correct it in DATABASE_URL.'];
  if (/no such database/i.test(words))
    return ['database_missing', `${host} knows no database ${database}`, 'Correct its name in DATABASE_URL.'];
  if (/timeout|no answer|timed out/i.test(words)) return unreachable(host);
  return [
    'other',
    `connecting to ${host} failed`,
    'Check that DATABASE_URL names a PostgreSQL server, and read its log.',
  ];
}

function demanded(host: string): Explanation {
  return [
    'tls_demanded',
    `${host} lets this role in only with TLS, if at all`,
    'Add sslmode=verify-full to DATABASE_URL, with sslrootcert=FILE where the certificate is not from a public authority.',
  ];
}

function untrusted(host: string): Explanation {
  return [
    'tls_untrusted',
    `the TLS certificate of ${host} is not trusted`,
    "Add sslrootcert=FILE with the server's certificate authority to DATABASE_URL, or say sslmode=no-verify to do without proof.",
  ];
}

function unreachable(host: string): Explanation {
  return [
    'unreachable',
    `${host} does not answer`,
    'Correct host and port in DATABASE_URL, and let a firewall in between pass this host.',
  ];
}

/** A name with several addresses fails once per address, under an error that says nothing itself. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(wordsOf))].join(', ');
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '');
}

function codeOf(error: unknown): string {
  if (error instanceof pg.DatabaseError) return error.code ?? '';
  if (error instanceof AggregateError) return error.errors.map(codeOf).find((code) => code !== '') ?? '';
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function placeOf(url: string): Place {
  if (!URL.canParse(url)) return { host: 'that address', role: '(none)', database: '(none)' };
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  const name = searchParams.get('host') ?? (hostname || 'localhost');
  const role = decoded(username) || 'of this account';
  return {
    host:
      isIP(name) === 6 ? `[${name}]:${port || 5432}` : `${name}:${port || searchParams.get('port') || 5432}`,
    role,
    database: decoded(pathname.slice(1)) || role,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % sign: as it is written.
    return text;
  }
}
