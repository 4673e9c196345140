/** The `health` message: sent when something changed, not whenever a number in a sentence did. */
import type { MonitorView } from './view.js';

export interface LiveHealth {
  /** Equal as long as there is nothing new to tell. */
  readonly key: string;
  frame(): string;
}

export function liveHealth(view: MonitorView): LiveHealth {
  const source = view.source();
  const { status, components } = view.getSystemHealth();
  const state = {
    connected: source.connected,
    role: source.role,
    bell: { mode: source.bell.mode, reason: source.bell.reason },
    listener_proven: source.listener.proven,
    completeness: view.latest()?.completeness ?? {
      state: 'unknown',
      ratio: null,
      reasons: ['No snapshot was taken yet.'],
    },
    status,
  };
  const all = Object.values(components);
  return {
    key: JSON.stringify([state, all.map((part) => [part.component, part.status, part.available])]),
    frame: () =>
      JSON.stringify({
        ...{ type: 'health', at: new Date().toISOString(), ...state },
        components: Object.fromEntries(
          all.map(({ component, available, status, message, since }) => [
            component,
            { available, status, message, since },
          ]),
        ),
      }),
  };
}
