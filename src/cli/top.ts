/**
 * `sync-monitor top`: the windows of a running monitor on a whole terminal, or as plain frames where there is none. It
 * reconnects by itself; what it shows meanwhile is visibly old.
 */
import type { LiveMessage } from './tail-connection.js';
import { visible } from './tail-format.js';
import { type Follower, stayConnected } from './tail-reconnect.js';
import { type FrameOptions, frameOf } from './top-layout.js';
import {
  type Model,
  NOTHING_KNOWN,
  withAlert,
  withAlerts,
  withConnection,
  withLoss,
  withSnapshot,
} from './top-model.js';
import { loadScreen, type Screen } from './top-screen.js';
import { type Status, StatusAsker } from './top-status.js';
import type { Words } from './top-text.js';
import { type View, viewAfter } from './top-view.js';

export interface TopOptions {
  /** ws:// or wss:// address of the monitor's /ws. */
  readonly url: string;
  readonly token?: string | undefined;
  /** What is shown first. */
  readonly view: View;
  readonly words: Words;
  /** Whether to take the whole terminal; otherwise frames of plain text are printed, one a second. */
  readonly fullScreen: boolean;
  /** One frame, and the end. */
  readonly once: boolean;
  readonly colours: boolean;
  /** Characters of a line of plain text. */
  readonly width: number;
  readonly print: (line: string) => void;
  /** Whether what was printed has gone: a frame that nobody can take yet is left out. */
  readonly ready: () => boolean;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

const TICK_MS = 1_000;
/** How long a single frame waits for numbers. */
const ONCE_WITHIN_MS = 10_000;

/** Shows the monitor until the signal or the viewer ends it. Gives false when it cannot be reached or refuses us. */
export async function top(options: TopOptions): Promise<boolean> {
  const makeScreen = options.fullScreen && !options.once ? await loadScreen() : null;
  const { url, token } = options;
  const quit = new AbortController();
  const signal = AbortSignal.any([options.signal, quit.signal]);
  const shown = new Top({ ...options, signal }, () => quit.abort());
  const asker = new StatusAsker({ url, token, signal, onStatus: (status) => shown.takeStatus(status) });
  shown.onConnected = () => {
    asker.ask();
    if (makeScreen === null || shown.screen !== null) return;
    shown.screen = makeScreen({
      stdin: process.stdin,
      stdout: process.stdout,
      colours: options.colours,
      onKey: (key) => shown.press(key),
      onResize: () => shown.draw(),
    });
  };
  shown.onDoubt = () => asker.ask();
  const tick = setInterval(() => shown.tick(), TICK_MS);
  const late = options.once ? setTimeout(() => shown.giveUp(), ONCE_WITHIN_MS) : undefined;
  const failure = await stayConnected({ url, token, signal }, shown);
  clearInterval(tick);
  clearTimeout(late);
  asker.close();
  shown.screen?.close();
  const reason = failure ?? shown.fault;
  if (reason !== null) options.note(`cannot show ${url}: ${reason}`);
  return reason === null;
}

class Top implements Follower {
  readonly #options: TopOptions;
  readonly #end: () => void;
  readonly #place: string;
  #model: Model = NOTHING_KNOWN;
  #view: View;
  #frozen: { readonly model: Model; readonly at: number; missed: number } | null = null;
  #statusKnown = false;
  screen: Screen | null = null;
  connected = false;
  fault: string | null = null;
  onConnected = () => {};
  /** Something happened that only the API tells in full. */
  onDoubt = () => {};

  constructor(options: TopOptions, end: () => void) {
    this.#options = options;
    this.#end = end;
    this.#view = options.view;
    this.#place = new URL(options.url).host;
  }

  take(message: LiveMessage, send: (message: unknown) => void): void {
    if (message.type === 'hello') {
      if (message.protocol !== 1) {
        this.fault = `it speaks protocol ${message.protocol}, and this command protocol 1`;
        this.#end();
        return;
      }
      this.connected = true;
      this.#model = withConnection(this.#model);
      send({ type: 'subscribe', topics: ['snapshot', 'alerts', 'health'] });
      this.onConnected();
    } else if (message.type === 'snapshot') {
      this.#model = withSnapshot(this.#model, message);
      if (this.#frozen) this.#frozen.missed += 1;
    } else if (message.type === 'alert') {
      this.#model = withAlert(this.#model, message);
      this.onDoubt();
    } else if (message.type === 'health') {
      this.#model = { ...this.#model, source: message };
      this.onDoubt();
    } else if (message.type === 'error') {
      this.fault = `the monitor says: ${visible(message.message)}`;
      return;
    } else return;
    this.draw();
  }

  takeStatus({ health, alerts, alertsNote }: Status): void {
    // An answer can still come after the connection is gone.
    if (this.#model.lost !== null) return;
    const model = { ...this.#model, health };
    this.#model = alerts
      ? withAlerts(model, alerts)
      : { ...model, alerts: { ...model.alerts, asked: false, note: alertsNote } };
    this.#statusKnown = true;
    this.draw();
  }

  lost(reason: string): void {
    if (this.#model.lost === null && this.screen === null)
      this.#options.note(`connection lost (${reason}); trying again`);
    this.#model = withLoss(this.#model, Date.now(), reason);
    this.draw();
  }

  press(key: string): void {
    const view = viewAfter(this.#view, key);
    if (view === 'quit') {
      this.#end();
      return;
    }
    if (view.paused !== this.#view.paused)
      this.#frozen = view.paused ? { model: this.#model, at: Date.now(), missed: 0 } : null;
    this.#view = view;
    this.draw();
  }

  tick(): void {
    if (this.screen !== null) this.draw();
    else if (!this.#options.fullScreen && !this.#options.once) this.#print();
  }

  /** On the screen at once; a single frame when it has all. */
  draw(): void {
    if (this.screen !== null) {
      const { width, height } = this.screen;
      const { lines, scroll } = frameOf(this.#frame(width, height));
      this.#view = { ...this.#view, scroll };
      this.screen.draw(lines);
    } else if (this.#options.once && this.#model.snapshot !== null && this.#statusKnown) {
      this.#print();
      this.#end();
    }
  }

  giveUp(): void {
    this.fault = `no numbers came within ${ONCE_WITHIN_MS / 1000} s`;
    this.#end();
  }

  #frame(width: number, height: number): FrameOptions {
    const { words } = this.#options;
    const frozen = this.#frozen;
    // Frozen are the numbers; whether there is a connection is told all the same.
    const model = frozen ? { ...frozen.model, lost: this.#model.lost } : this.#model;
    return {
      ...{ model, view: this.#view, paused: frozen, words, place: this.#place },
      ...{ width, height, now: Date.now() },
    };
  }

  #print(): void {
    const { width, print, ready, signal } = this.#options;
    if (this.#model.snapshot === null || signal.aborted || !ready()) return;
    const { lines } = frameOf(this.#frame(width, Number.POSITIVE_INFINITY));
    const text = lines.map((line) =>
      line
        .map((span) => span.text)
        .join('')
        .trimEnd(),
    );
    print(`${text.join('\n')}\n`);
  }
}
