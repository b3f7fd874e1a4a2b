import type { SessionNotice, StepState } from '../../lab/protocol.ts';
import { createSession } from '../../lab/session.ts';
import { nodeClock } from './clock.ts';
import { HostError } from './cluster-host.ts';
import type { LabFolder } from './lab-files.ts';

const ESCAPE_KEY = '\x1d';
const TERMINAL = 'main';
const dim = (text: string): string => `\x1b[2m${text}\x1b[0m`;

/** The parts of process.stdin and process.stdout that are used; tests give their own. */
export interface LocalTerminal {
  input: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  output: NodeJS.WritableStream & {
    columns?: number;
    rows?: number;
    on(event: 'resize', listener: () => void): unknown;
    off(event: 'resize', listener: () => void): unknown;
  };
}

/**
 * A lab in the local terminal: the reader's bash in raw mode, the steps told between its lines. Ctrl-] and a letter
 * talks to the lab itself: `s` the step again, `h` a hint, `q` the end. Resolves to the exit code.
 */
export async function runLabInTerminal(folder: LabFolder, seed: string, speed: number, terminal: LocalTerminal): Promise<number> {
  const { lab } = folder;
  const { input, output } = terminal;
  let states: readonly StepState[] = lab.steps.map((step) => ({ id: step.id, reached: false }));
  let hintsGiven = 0;
  let announced: number | undefined;
  const ticked = new Set<string>();
  let finish: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const say = (text: string): void => void output.write(`${text.replaceAll('\n', '\r\n')}\r\n`);
  const current = (): number => states.findIndex((state) => !state.reached);
  const showStep = (index: number): void => {
    const step = lab.steps[index];
    if (!step) return;
    say(dim(`\n── ${index + 1}/${lab.steps.length} ${step.title}`));
    for (const command of step.commands) say(dim(`   $ ${command.run}`));
  };
  const announce = (): void => {
    // Goals may be reached in any order.
    for (const [index, state] of states.entries()) {
      if (!state.reached || ticked.has(state.id)) continue;
      ticked.add(state.id);
      say(dim(`   ✓ ${lab.steps[index]?.title}`));
    }
    const index = current();
    if (index === announced) return;
    announced = index;
    hintsGiven = 0;
    if (index < 0) say(dim('\n   全部完成了。Ctrl-] q 離開。'));
    else showStep(index);
  };
  const notify = (notice: SessionNotice): void => {
    if (notice.type === 'output') output.write(notice.data);
    else if (notice.type === 'progress') {
      states = notice.steps;
      announce();
    } else if (notice.type === 'edit') say(dim(`   這裡沒有編輯器；用 cat > ${notice.path.split('/').pop()} <<EOF 改寫檔案`));
    else if (notice.type === 'failed') {
      say(`${notice.message}\n${notice.detail}`);
      finish(1);
    }
  };
  const session = createSession({ host: nodeClock, notify });
  const fail = (error: Error): void => {
    say(error.message);
    finish(1);
  };
  const send = (request: Parameters<typeof session.handle>[0]): void => void session.handle(request).catch(fail);

  let escaped = false;
  const onKeys = (chunk: Buffer | string): void => {
    let keys = '';
    for (const key of chunk.toString()) {
      if (!escaped && key !== ESCAPE_KEY) keys += key;
      else if (!escaped) escaped = true;
      else {
        escaped = false;
        const step = lab.steps[Math.max(0, current())];
        if (key === 'q') finish(0);
        else if (key === 's') showStep(Math.max(0, current()));
        else if (key === 'h') say(dim(`   ${step?.hints[Math.min(hintsGiven++, (step?.hints.length ?? 1) - 1)] ?? '這一步沒有提示。'}`));
        else if (key === ESCAPE_KEY) keys += key;
      }
    }
    if (keys) send({ type: 'input', terminal: TERMINAL, data: keys });
  };
  const onResize = (): void => send({ type: 'resize', terminal: TERMINAL, columns: output.columns ?? 80, rows: output.rows ?? 24 });

  say(dim(`${lab.title}（Ctrl-] h 提示、Ctrl-] s 這一步、Ctrl-] q 離開）`));
  try {
    await session.handle({ type: 'start', lab: { lab, files: folder.files }, seed });
    await session.handle({ type: 'set-speed', speed });
    input.setRawMode?.(true);
    input.resume();
    input.on('data', onKeys);
    input.once('end', () => finish(0));
    output.on('resize', onResize);
    announce();
    await session.handle({ type: 'open-terminal', terminal: TERMINAL, columns: output.columns ?? 80, rows: output.rows ?? 24 });
    return await ended;
  } catch (error) {
    throw new HostError((error as Error).message);
  } finally {
    input.off('data', onKeys);
    output.off('resize', onResize);
    input.setRawMode?.(false);
    input.pause();
    session.dispose();
    output.write('\r\n');
  }
}
