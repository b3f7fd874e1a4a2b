/**
 * Watches what a program prints for sequences that leave a terminal in an odd state (another screen, a hidden cursor,
 * line-drawing letters, mouse reports), as binary output or a killed program does.
 */
export class ScreenModes {
  #changed = false;
  #alternate = false;
  #tail = '';

  watch(text: string): void {
    // A sequence may be cut between two chunks.
    const all = this.#tail + text;
    this.#tail = all.slice(-12);
    if (/[\x0e\x9b]|\x1b[()#*+%]|\x1b\[[?!>=][0-9;]*[a-z]|\x1b\[[0-9;]*[hlr]|\x1b[=>cPX^_\]]/.test(all)) this.#changed = true;
    const on = all.lastIndexOf('\x1b[?1049h');
    const off = all.lastIndexOf('\x1b[?1049l');
    if (on !== off) this.#alternate = on > off;
  }

  /** What to show before a prompt so that it is readable again; empty when nothing is wrong. */
  restore(): string {
    if (!this.#changed) return '';
    const leave = this.#alternate ? '\x1b[?1049l' : '';
    this.#changed = false;
    this.#alternate = false;
    this.#tail = '';
    // End an open string, leave the other screen, stop mouse reports, soft reset, ordinary letters.
    return `\x1b\\${leave}\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[!p\x1b[?7h\x1b(B\x0f`;
  }
}
