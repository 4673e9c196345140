/** `alert-test`: one marked notice to each receiver, or to one of them, and what they answer. */
import { nearest } from '../streams/nearest.js';
import { alertsConfig } from './alert-settings.js';
import { sendTest } from './alerts/test-notice.js';
import { type Attempt, redactedUrl, STANDARD_LIMITS } from './alerts/webhook.js';
import type { Config } from './config.js';

export interface AlertTestRequest {
  /** Undefined: all. */
  readonly receiver: string | undefined;
  /** What the path of the rules file is relative to. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** The settings are wrong, or there is no such receiver. */
export class AlertTestUsageError extends Error {}

/**
 * Sends to all at once and prints a line for each, in the order of the settings. True when all have taken the notice.
 * @throws AlertTestUsageError
 */
export async function alertTest(config: Config, request: AlertTestRequest): Promise<boolean> {
  const { receivers, policy, publicUrl } = settingsOf(config, request.folder);
  const names = receivers.map(({ name }) => name);
  if (names.length === 0)
    throw new AlertTestUsageError(
      'no receiver is configured: WEBHOOK_ALERT_URL or ALERT_RULES_FILE names them',
    );
  const { receiver } = request;
  if (receiver !== undefined && !names.includes(receiver))
    throw new AlertTestUsageError(
      `${JSON.stringify(receiver)} is no receiver; the nearest is ${nearest(receiver, names)}; there are ${names.join(', ')}`,
    );
  const limits = { ...STANDARD_LIMITS, signal: request.signal };
  const chosen = receivers.filter(({ name }) => receiver === undefined || name === receiver);
  const answers = chosen.map((to) => sendTest(to, { policy, publicUrl, limits }, Date.now()));
  let well = true;
  for (const [i, to] of chosen.entries()) {
    const answer = (await answers[i]) as Attempt;
    request.print(`${to.name} (${to.choice.format}, ${redactedUrl(to.url)}): ${wordsOf(answer)}`);
    well &&= answer.outcome === 'delivered';
  }
  return well;
}

function settingsOf(config: Config, folder: string) {
  try {
    return alertsConfig(config, folder);
  } catch (error) {
    throw new AlertTestUsageError((error as Error).message, { cause: error });
  }
}

function wordsOf(answer: Attempt): string {
  switch (answer.outcome) {
    case 'delivered':
      return `delivered, ${answer.status}${answer.answer === '' ? '' : ` ${answer.answer}`}`;
    case 'gone':
      return `NOT DELIVERED: ${answer.reason}: it asks never to be sent anything again`;
    case 'refused':
      return `NOT DELIVERED: ${answer.reason}`;
    case 'retry':
      return `NOT DELIVERED: ${answer.reason}; a real notice would be tried again`;
  }
}
