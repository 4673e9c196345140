/** Does the work now and then every so often until the signal, never twice at a time. `work` must not throw. */
export function every(ms: number, signal: AbortSignal, work: () => Promise<void>): void {
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await work();
    // The monitor is not kept alive by what it only looks at.
    if (!signal.aborted) timer = setTimeout(() => void round(), ms).unref();
  };
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  void round();
}
