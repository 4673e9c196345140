/**
 * Numbers in the order in which they came, to be sorted together later. Hundreds of thousands of logs wait to be
 * written, most with a few numbers: an array that grows from [] has room for 17 at once, and a typed array is an object
 * of a hundred bytes before its first number.
 */

const FIRST_ROOM = 4;
/** Up to here insertion beats making a typed array and its sort. */
const FEW = 16;
const NO_NUMBERS: number[] = [];

export class NumberLog {
  private numbers = NO_NUMBERS;
  /** How many there are. */
  size = 0;

  add(number: number): void {
    if (this.size === 0) this.numbers = new Array<number>(FIRST_ROOM);
    this.numbers[this.size] = number;
    this.size += 1;
  }

  /** All of them, ascending, in the first `size` places of what is answered; the log is empty then. */
  take(): { readonly ascending: ArrayLike<number>; readonly size: number } {
    const { numbers, size } = this;
    this.numbers = NO_NUMBERS;
    this.size = 0;
    if (size > FEW) return { ascending: new Float64Array(numbers).sort(), size };
    for (let i = 1; i < size; i++) {
      const number = numbers[i] as number;
      let at = i;
      for (; at > 0 && (numbers[at - 1] as number) > number; at--) numbers[at] = numbers[at - 1] as number;
      numbers[at] = number;
    }
    return { ascending: numbers, size };
  }
}
