import { commandName } from '../unix/index.ts';
import type { Process } from '../unix/types.ts';
import { type Applet, byteText, getopt, program, toByteText } from './applet.ts';
import { userName } from './process-applets.ts';

/** top, more, less: applets that fill a screen. */

async function top(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'bn:d:m');
  const onTty = applet.process.stdout.kind === 'tty' && !options.has('b');
  const rounds = Number(options.get('n') ?? (onTty ? Number.POSITIVE_INFINITY : 1));
  const pauseMs = Number(options.get('d') ?? 5) * 1000;
  const { machine, kernel } = applet.process;
  let stop = false;
  const before = new Map<Process, number>();
  let key: Promise<void> | undefined;
  for (let round = 0; round < rounds && !stop; round++) {
    const total = machine.facts.memoryBytes;
    const used = Math.min(total, Math.round(total * 0.21) + machine.memoryBytes());
    const kb = (bytes: number): number => Math.floor(bytes / 1024);
    const processes = [...machine.processes.values()];
    const load = (one: Process): number => {
      const past = before.get(one) ?? one.cpuMs;
      return Math.min(99, Math.round(((one.cpuMs - past) / Math.max(1, pauseMs)) * 100));
    };
    const rows = processes
      .map((one) => ({ one, cpu: load(one) }))
      .sort((a, b) => b.cpu - a.cpu || b.one.memoryBytes - a.one.memoryBytes || a.one.pid - b.one.pid);
    for (const one of processes) before.set(one, one.cpuMs);
    let text = `Mem: ${kb(used)}K used, ${kb(total - used)}K free, 0K shrd, 0K buff, ${kb(Math.round(total * 0.33))}K cached\n`;
    text += `CPU:   0% usr   0% sys   0% nic  99% idle   0% io   0% irq   0% sirq\nLoad average: 0.00 0.00 0.00 1/${processes.length} ${applet.process.pid}\n`;
    const heading = '  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND';
    text += onTty ? `\x1b[7m${heading}\x1b[m\n` : `${heading}\n`;
    const limit = onTty ? (applet.process.stdout.tty?.rows ?? 24) - 5 : rows.length;
    for (const { one, cpu } of rows.slice(0, limit)) {
      const size = kb(one.memoryBytes);
      text += `${String(one.pid).padStart(5)} ${String(one.ppid).padStart(5)} ${userName(applet, one.uid).slice(0, 8).padEnd(8)} ${(one === applet.process ? 'R' : one.stopped ? 'T' : 'S').padEnd(4)} ${String(size).padStart(5)} ${String(Math.round((one.memoryBytes * 100) / total)).padStart(3)}% ${String(one.pid % machine.facts.cpus).padStart(3)} ${String(cpu).padStart(3)}% ${toByteText(one.argv.join(' ') || commandName(one))}\n`;
    }
    await applet.put(onTty ? `\x1b[H\x1b[J${text}` : text);
    await applet.flush();
    if (round + 1 >= rounds) break;
    if (!onTty) {
      await applet.process.sleep(pauseMs);
      continue;
    }
    const { tty } = applet.process.stdin;
    if (tty) tty.raw = true;
    try {
      key ??= applet.process.stdin.read().then((chunk) => {
        stop = chunk === null || /[q\x03]/.test(byteText(chunk));
        key = undefined;
      });
      let timer = { dispose: (): void => {} };
      await applet.process.guard(
        Promise.race([
          key,
          new Promise<void>((resolve) => {
            timer = kernel.timer(pauseMs, resolve);
          }),
        ]),
      );
      timer.dispose();
    } finally {
      if (tty) tty.raw = false;
    }
  }
}

/** Shows text page by page on a terminal; passes it along otherwise. */
async function pager(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'EFIMmNRSh~');
  let text = '';
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path);
    if (file) text += await applet.readText(file);
  }
  const terminal = applet.process.stdout.tty;
  if (!terminal) {
    await applet.put(text);
    return;
  }
  const keys = applet.process.open('/dev/tty', 'r');
  const lines = text.replace(/\n$/, '').split('\n');
  terminal.raw = true;
  try {
    let at = 0;
    let step = terminal.rows - 1;
    while (at < lines.length) {
      await applet.put(`${lines.slice(at, at + step).join('\r\n')}\r\n`);
      at += step;
      if (at >= lines.length) break;
      await applet.put(`\x1b[7m--More-- (${Math.floor((at * 100) / lines.length)}% of ${text.length} bytes)\x1b[m`);
      await applet.flush();
      const chunk = await keys.read();
      await applet.put('\r\x1b[K');
      const pressed = chunk === null ? 'q' : byteText(chunk);
      if (/[qQ\x03]/.test(pressed)) break;
      step = /[\r\nj]/.test(pressed) ? 1 : terminal.rows - 1;
    }
    await applet.flush();
  } finally {
    terminal.raw = false;
    keys.close();
  }
}

export const screenApplets = {
  top: program('[-b] [-n COUNT] [-d SECONDS]', top),
  more: program('[FILE]...', pager),
  less: program('[-EFIMmNSRh~] [FILE]...', pager),
};
