/** Sleep that a bell ends. A ring while awake is kept, so that none between two rounds is lost. */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Whether it rang since this was asked last. */
  taken(): boolean {
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  /** Until the time is up or it rings. Sockets and timers have their turn even where there is no time to sleep. */
  async sleep(ms: number): Promise<void> {
    if (ms <= 0) {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    if (this.#rung) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
