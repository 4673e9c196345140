/** The alerts of src/alerts on a real database, in the form that the HTTP side asks; a test decides what fires. */
import { Subject } from 'rxjs';
import { alertId } from '../../src/alerts/evidence.js';
import type { Transition } from '../../streams/alert.js';
import {
  type AlertMessage,
  type AlertsView,
  alertMessage,
  type RuleWire,
} from '../../streams/alerts-view.js';
import { sloReading } from '../../streams/slo.js';
import { RULE, transitionOf } from '../alerts/notices.js';
import { openScene, type Scene } from '../alerts/scene.js';

const COUNT = { errors: 30, total: 1_000 };

export interface RealAlerts {
  readonly view: AlertsView;
  readonly scene: Scene;
  decide(change: Partial<Transition>): Promise<void>;
}

/** @param url of a database that has the schema */
export async function openRealAlerts(url: string): Promise<RealAlerts> {
  const scene = await openScene(url, []);
  const { alerts } = scene;
  const transitions$ = new Subject<AlertMessage>();
  const windows = { '5m': COUNT, '30m': COUNT, '1h': COUNT, '6h': COUNT, '3d': null };
  const view: AlertsView = {
    transitions$,
    rules: () =>
      [RULE.name, 'slow_response'].map((name): RuleWire => {
        const firing = alerts.firing.find(({ rule }) => rule === name);
        return {
          ...{ name, severity: RULE.severity, state: firing ? 'firing' : 'inactive' },
          ...{ reason: firing ? 'over' : 'below', value: firing?.value ?? null, threshold: RULE.threshold },
          since: firing ? new Date(firing.startsAt).toISOString() : null,
        };
      }),
    list: (query) => alerts.list(query),
    acknowledge: (id, ack) => alerts.acknowledge(id, ack),
    silences: (past) => alerts.silences(past),
    silence: (request) => alerts.silence({ ...request, startsAt: request.startsAt ?? scene.now }),
    endSilence: (id) => alerts.endSilence(id),
    slo: () => sloReading({ windows, budget: COUNT }, { target: 99, windowDays: 30 }),
    deliveries: () => alerts.counts,
  };
  const decide = async (change: Partial<Transition>): Promise<void> => {
    await scene.decide(change);
    const transition = transitionOf({ at: scene.now, ...change });
    const [told] = await alerts.list({ state: 'all', rule: transition.rule, limit: 1 });
    if (told?.id !== alertId(transition)) throw new Error(`${alertId(transition)} is not the newest alert`);
    const endsAt = transition.kind === 'resolved' ? scene.now : null;
    transitions$.next(alertMessage({ ...transition, endsAt }, told));
  };
  return { view, scene, decide };
}
