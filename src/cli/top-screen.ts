/**
 * The terminal as a screen of lines: terminal-kit draws what changed, Node reads the keys. The terminal is given back
 * as it was found, however the process ends, short of being killed.
 */
import { emitKeypressEvents, type Key } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ScreenBuffer } from 'terminal-kit';
import type { Line, Style } from './top-table.js';

export interface ScreenOptions {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly colours: boolean;
  /** A character, or the name of a key that has none: `up`, `tab`, `ctrl-c`. */
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  draw(lines: readonly Line[]): void;
  /** Idempotent. */
  close(): void;
}

/** Of a terminal that does not tell its size. */
const [COLUMNS, ROWS] = [80, 24];

const COLOURS: Readonly<Record<Style, ScreenBuffer.Attributes>> = {
  bold: { bold: true },
  dim: { dim: true },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  head: { bold: true, underline: true },
  chosen: { inverse: true },
};
/** Where colours are not wanted (NO_COLOR) or not to be had. */
const SHAPES: Readonly<Record<Style, ScreenBuffer.Attributes>> = {
  ...COLOURS,
  good: {},
  warn: { bold: true },
  bad: { inverse: true },
};

/** A new object each time: terminal-kit writes its own numbers into what it is given. */
function attributes(shape: ScreenBuffer.Attributes = {}): ScreenBuffer.Attributes {
  return { color: 'default', bgColor: 'default', ...shape };
}

/** Makes screens. Apart from them because loading the library takes longer than a command that fails should. */
export async function loadScreen(): Promise<(options: ScreenOptions) => Screen> {
  const { default: termkit } = await import('terminal-kit');
  return ({ stdin, stdout, colours, onKey, onResize }) => {
    const { terminal } = termkit;
    const styles = colours ? COLOURS : SHAPES;
    const makeBuffer = () =>
      new termkit.ScreenBuffer({
        dst: terminal,
        width: stdout.columns || COLUMNS,
        height: stdout.rows || ROWS,
      });
    let buffer = makeBuffer();
    let open = true;

    // terminal-kit reads keys too, but hangs on a lone byte from 0x80 to 0xbf, which Alt sends in some terminals.
    const onKeypress = (text: string | undefined, key: Key) => {
      if (key.ctrl === true && key.name !== undefined) onKey(`ctrl-${key.name}`);
      else if (text !== undefined && !/\p{Cc}| /u.test(text)) onKey(text);
      else if (key.name !== undefined) onKey(key.name);
    };
    const resized = () => {
      buffer = makeBuffer();
      terminal.clear();
      onResize();
    };
    const close = () => {
      if (!open) return;
      open = false;
      process.off('exit', close);
      stdout.off('resize', resized);
      stdin.off('keypress', onKeypress);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      terminal.styleReset();
      terminal.hideCursor(false);
      terminal.fullscreen(false);
    };
    // An uncaught error comes here before Node prints it, so that it is seen.
    process.on('exit', close);
    stdout.on('resize', resized);
    emitKeypressEvents(stdin);
    if (stdin.isTTY) {
      stdin.setRawMode(true);
      stdin.on('keypress', onKeypress);
      stdin.resume();
    }
    terminal.fullscreen(true);
    terminal.hideCursor(true);

    return {
      get width() {
        return buffer.width;
      },
      get height() {
        return buffer.height;
      },
      draw(lines) {
        if (!open) return;
        buffer.fill({ attr: attributes(), char: ' ' });
        for (const [y, line] of lines.slice(0, buffer.height).entries()) {
          let x = 0;
          for (const { text, style } of line) {
            const attr = attributes(style && styles[style]);
            buffer.put({ x, y, attr, wrap: false, dx: 1, dy: 0 }, text);
            // By characters, not by what they take: a wide one must not push the columns behind it.
            x += [...text].length;
          }
        }
        buffer.draw({ delta: true });
      },
      close,
    };
  };
}
