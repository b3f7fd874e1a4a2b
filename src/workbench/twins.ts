import '../styles/twins.css';
import type { SessionNotice, SessionRequest } from '../lab/protocol.ts';
import { ClusterChart } from './cluster-view.ts';
import { type Connection, connectWorker } from './connection.ts';
import { clockText, find } from './dom.ts';
import { createTerminal, type TerminalPane } from './terminal.ts';

/** What Twins.astro puts on its button. */
interface TwinsData {
  title: string;
  titles: readonly string[];
  commands: readonly string[];
  request: SessionRequest;
}

const SPEEDS = [
  [0, '暫停'],
  [1, '×1'],
  [5, '×5'],
  [60, '×60'],
] as const;

const side = (index: number): string => `
  <section class="twin" aria-labelledby="twin-${index}-title" data-side="${index}">
    <h3 id="twin-${index}-title"></h3>
    <div class="lab-view twin-view">
      <div class="view-drawing" data-view tabindex="0" role="group" aria-labelledby="twin-${index}-title"></div>
      <div class="view-outline sr-only" data-outline role="region" tabindex="-1"></div>
      <p class="sr-only" data-announce aria-live="polite"></p>
    </div>
    <div class="terminal-screen twin-terminal"></div>
  </section>`;

const markup = `
  <header class="twins-bar">
    <h2 id="twins-title"></h2>
    <p class="lab-clock"><span class="sr-only">兩個叢集的時間 </span><span data-clock>00:00</span></p>
    <fieldset class="lab-speed"><legend class="sr-only">時間快慢</legend>${SPEEDS.map(
      ([value, label]) => `<label><input type="radio" name="twins-speed" value="${value}"${value === 1 ? ' checked' : ''}><span>${label}</span></label>`,
    ).join('')}</fieldset>
    <button type="button" class="quiet" data-outlines aria-pressed="false">文字</button>
    <button type="button" class="quiet" data-close>關閉</button>
  </header>
  <div class="twins-sides">${side(0)}${side(1)}</div>
  <form class="twins-send">
    <div class="twins-commands" role="group" aria-label="送到兩邊的指令"></div>
    <div class="input-row">
      <label class="sr-only" for="twins-input">送到兩邊的指令</label>
      <input id="twins-input" type="text" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="send" placeholder="打一個指令，按 Enter 送到兩邊">
      <button type="submit">送出</button>
    </div>
  </form>
  <p class="lab-notice" role="status" data-twins-notice hidden></p>`;

/** Two clusters on one clock in a dialog over the page. Closing it ends them; they begin anew next time. */
export function openTwins(button: HTMLElement): void {
  const data = JSON.parse(button.dataset.twins ?? '') as TwinsData;
  const dialog = document.createElement('dialog');
  dialog.className = 'twins-dialog lab not-content';
  // As an opened sheet on small windows: everything in it is shown.
  dialog.dataset.open = '';
  dialog.setAttribute('aria-labelledby', 'twins-title');
  dialog.innerHTML = markup;
  find(dialog, '#twins-title').textContent = data.title;
  document.body.append(dialog);
  dialog.showModal();

  let startMs: number | undefined;
  const sides = [...dialog.querySelectorAll<HTMLElement>('[data-side]')].map((section, index) => {
    const title = data.titles[index] ?? '';
    find(section, 'h3').textContent = title;
    find(section, '[data-outline]').setAttribute('aria-label', `${title}：叢集的文字說明`);
    const chart = new ClusterChart(section, () => undefined);
    const pane: TerminalPane = createTerminal(find(section, '.twin-terminal'), {
      send: (keys) => send({ type: 'input', terminal: 'both', data: keys }),
      resized: (columns, rows) => send({ type: 'resize', terminal: String(index), columns, rows }),
      focused: () => undefined,
      leave: () => find(dialog, '[data-close]').focus(),
    });
    return { chart, pane };
  });
  const say = (text: string): void => {
    const place = find(dialog, '[data-twins-notice]');
    place.textContent = text;
    place.hidden = text === '';
  };
  const onNotice = (notice: SessionNotice): void => {
    if (notice.type === 'output') sides[Number(notice.terminal)]?.pane.write(notice.data);
    else if (notice.type === 'view') sides[notice.side ?? 0]?.chart.show(notice.view);
    else if (notice.type === 'failed') say(`模擬器出了錯：${notice.message}`);
    else if (notice.type === 'clock') {
      startMs ??= notice.nowMs;
      find(dialog, '[data-clock]').textContent = clockText(notice.nowMs - startMs);
    }
  };
  let ready = false;
  const connection: Connection = connectWorker(onNotice, (reason) => say(`兩個叢集停住了（${reason}）。關掉再打開，就會重新開始。`));
  const ask = (request: SessionRequest): Promise<unknown> => connection.request(request).catch((error: Error) => say(error.message));
  const send = (request: SessionRequest): void => {
    if (ready) void ask(request);
  };

  say('正在準備兩個叢集……');
  void connection
    .request(data.request)
    .then(async () => {
      for (const [index, { pane }] of sides.entries()) await ask({ type: 'open-terminal', terminal: String(index), columns: pane.columns, rows: pane.rows });
      ready = true;
      say('');
      dialog.dataset.state = 'ready';
      for (const chip of chips) chip.disabled = false;
    })
    .catch((error: Error) => say(`兩個叢集開不起來：${error.message}`));

  const field = find<HTMLInputElement>(dialog, '#twins-input');
  find<HTMLFormElement>(dialog, '.twins-send').addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value.trim() !== '') send({ type: 'run', terminal: 'both', command: field.value });
    field.value = '';
  });
  const chips = data.commands.map((command) => {
    const chip = document.createElement('button');
    chip.type = 'button';
    chip.className = 'quiet';
    chip.disabled = true;
    chip.append(Object.assign(document.createElement('code'), { textContent: command }));
    chip.addEventListener('click', () => send({ type: 'run', terminal: 'both', command }));
    return chip;
  });
  find(dialog, '.twins-commands').append(...chips);
  find(dialog, '.lab-speed').addEventListener('change', (event) => send({ type: 'set-speed', speed: Number((event.target as HTMLInputElement).value) }));
  const outlines = find(dialog, '[data-outlines]');
  outlines.addEventListener('click', () => {
    const shown = outlines.getAttribute('aria-pressed') !== 'true';
    outlines.setAttribute('aria-pressed', String(shown));
    for (const outline of dialog.querySelectorAll<HTMLElement>('[data-outline]')) {
      outline.classList.toggle('sr-only', !shown);
      outline.tabIndex = shown ? 0 : -1;
    }
  });
  find(dialog, '[data-close]').addEventListener('click', () => dialog.close());
  // Escape belongs to the terminals (vi, completion menus); elsewhere it closes.
  dialog.addEventListener('cancel', (event) => {
    if (document.activeElement?.closest('.twin-terminal')) event.preventDefault();
  });
  dialog.addEventListener('close', () => {
    connection.close();
    for (const { pane } of sides) pane.dispose();
    dialog.remove();
    button.focus();
  });
}
