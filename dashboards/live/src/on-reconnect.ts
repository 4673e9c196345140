import { effect, untracked } from '@preact/signals';
import { connection } from './state.js';

/** Calls back whenever the connection is there again after it was lost: what was missed meanwhile is to be asked for. */
export function onReconnect(again: () => void): void {
  let lost = false;
  effect(() => {
    const { state } = connection.value;
    if (state === 'lost') lost = true;
    if (state !== 'open' || !lost) return;
    lost = false;
    untracked(again);
  });
}
