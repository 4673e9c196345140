// The host's wall clock, as one that somebody sets: Date tells another time, the monotonic clock and timers do not.
const RealDate = Date;
let stepMs = 0;

/** Sets the clock on by so much, back if negative. */
export function stepHostClock(ms) {
  stepMs += ms;
}

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + stepMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + stepMs;
  }
};
