import type { LabFileSet, SavedSession, SessionNotice, SessionRequest } from '../lab/protocol.ts';
import { ClusterChart } from './cluster-view.ts';
import { type Connection, connectWorker } from './connection.ts';
import { claimLab, type NoticeButton, showNotice, showPanel, wireBar, wireHiding, wireOutline, wireTabs } from './controls.ts';
import type { Details } from './details.ts';
import { wireDividers, wireSheet } from './dividers.ts';
import { clockText, find, paced } from './dom.ts';
import { createEvents } from './events.ts';
import { createFiles, type FilesPane } from './files.ts';
import { createSteps, type StepsPane } from './steps.ts';
import { digest, fileStore, sessionStore } from './store.ts';
import { TerminalDeck } from './terminal-deck.ts';
import { Timeline, type TimelineMemory } from './timeline.ts';
import { beforeLastCommand, commandCount, sessionAt } from './travel.ts';

/** A page left in the background stops its cluster's clock after this long. */
const HIDDEN_MS = 120_000;

/** The lab of a page: the session in its worker, and everything that shows it. */
export class Workbench {
  #root: HTMLElement;
  #files: LabFileSet;
  #digest: string;
  #connection: Connection | undefined;
  #terminals: TerminalDeck;
  #filesPane: FilesPane;
  #steps: StepsPane;
  #chart: ClusterChart;
  #events: ReturnType<typeof createEvents>;
  #timeline: Timeline;
  /** Fetched when first asked why. */
  #details: Promise<Details> | undefined;
  #sheet: ReturnType<typeof wireSheet>;
  #startMs: number | undefined;
  #speed = 1;
  #ready = false;
  /** Commands and keys that came before the session was ready. */
  #waiting: SessionRequest[] = [];
  #owner = true;
  #inWebContainer = false;
  /** Somebody else's session is shown: what it reached is not this reader's. */
  #visiting = false;
  /** What was left behind when the reader went back. */
  #future: { saved: SavedSession; timeline: TimelineMemory } | undefined;
  #keepSoon: () => void;

  constructor(root: HTMLElement, files: LabFileSet) {
    this.#root = root;
    this.#files = files;
    this.#digest = digest(JSON.stringify(files));
    this.#keepSoon = paced(() => void this.#keep(), 1200);
    wireDividers(root);
    this.#sheet = wireSheet(root);
    this.#chart = new ClusterChart(find(root, '[data-view-panel]'), (object) => this.#select(object));
    this.#events = createEvents(find(root, '[data-panel="events"]'));
    this.#timeline = new Timeline(find(root, '[data-panel="timeline"]'), (toMs) => void this.#travel((saved) => sessionAt(saved, toMs)));
    this.#terminals = new TerminalDeck(find(root, '[data-panel="terminal"]'), root, {
      send: (terminal, data) => this.#send({ type: 'input', terminal, data }),
      resized: (terminal, columns, rows) => this.#ready && this.#send({ type: 'resize', terminal, columns, rows }),
      opened: (terminal, columns, rows) => this.#send({ type: 'open-terminal', terminal, columns, rows }),
      closed: (terminal) => this.#send({ type: 'close-terminal', terminal }),
      leave: () => find(root, '[role="tab"][aria-selected="true"]').focus(),
    });
    this.#filesPane = createFiles(find(root, '[data-panel="files"]'), {
      lab: files.lab.name,
      originals: files.files,
      request: (request) => this.#ask(request),
      apply: (path) => this.#run(`kubectl apply -f ${path}`),
    });
    this.#steps = createSteps(files.lab, {
      run: (command) => this.#run(command),
      reached: (ids) => {
        find(root, '[data-steps-summary]').textContent = `${ids.length}/${files.lab.steps.length} 步`;
      },
      // Where the reader looks while typing; the step's own text may be out of sight.
      told: (words) => this.#notice(words.replace(/`|\*\*/g, '')),
    });
    this.#wire();
  }

  /** Connects and starts the session: the kept one when there is one, else a new one. */
  async start(): Promise<void> {
    this.#owner = await claimLab(this.#files.lab.name);
    if (!this.#owner) this.#notice('另一個分頁也開著這個實驗。這裡可以照樣做，但只有那一頁會記住叢集的狀態。');
    if (await this.#openShared()) return;
    await this.#openKept();
  }

  async #openKept(): Promise<void> {
    const kept = sessionStore.read(this.#files.lab.name);
    const usable = kept?.digest === this.#digest ? kept : undefined;
    if (kept && !usable) this.#notice('實驗的內容更新過，所以從頭開始；你改過的檔案都還在。');
    if (usable?.timeline) this.#timeline.remember(usable.timeline);
    await this.#boot(usable?.saved);
  }

  /** A link with a session in its fragment: shown standing still, and the reader's own progress untouched until they go on from it. */
  async #openShared(): Promise<boolean> {
    const text = /^#share=(.*)$/.exec(location.hash)?.[1];
    if (text === undefined) return false;
    const { decodeSession } = await import('./share.ts');
    try {
      const saved = await decodeSession(text);
      if (saved.lab !== this.#files.lab.name) throw new Error('這個連結是另一個實驗的。');
      const owner = this.#owner;
      this.#owner = false;
      this.#visiting = true;
      this.#setSpeed(0);
      await this.#boot(saved);
      const leave = (): void => {
        history.replaceState(null, '', location.pathname + location.search);
        this.#owner = owner;
        this.#visiting = false;
        this.#setSpeed(1);
      };
      this.#notice(
        '這是別人分享的時刻，時間停著。',
        'word',
        {
          label: '從這裡接著做',
          action: leave,
        },
        {
          label: '回到我的進度',
          action: () => {
            leave();
            this.#startMs = undefined;
            this.#timeline.reset();
            this.#terminals.clear();
            void this.#openKept();
          },
        },
      );
      return true;
    } catch (error) {
      this.#notice(`分享的連結打不開：${(error as Error).message}`, 'error');
      return false;
    }
  }

  /** Carries the session to a WebContainer, or back into the page, by replaying it there. Where that cannot be, nothing changes. */
  async #switchHost(): Promise<void> {
    const saved = await this.#ask<SavedSession | undefined>({ type: 'save' });
    if (this.#inWebContainer) {
      this.#connection?.close();
      this.#connection = undefined;
    } else {
      this.#notice('正在打開 WebContainer……');
      const { connectWebContainer } = await import('../hosts/webcontainer/connect.ts');
      let connection: Connection;
      try {
        connection = await connectWebContainer({
          programUrl: `${import.meta.env.BASE_URL.replace(/\/?$/, '/')}webcontainer/session.mjs`,
          onNotice: (notice) => this.#onNotice(notice),
          onDeath: (reason) => this.#onDeath(reason),
        });
      } catch (error) {
        this.#notice(`${(error as Error).message}實驗繼續在這一頁裡跑。`);
        return;
      }
      this.#connection?.close();
      this.#connection = connection;
    }
    this.#inWebContainer = !this.#inWebContainer;
    find(this.#root, '[data-host]').textContent = this.#inWebContainer ? '回到這一頁裡跑' : '改在 WebContainer 裡跑（有真的 Node.js）';
    this.#ready = false;
    this.#terminals.clear();
    await this.#boot(saved);
    this.#notice(this.#inWebContainer ? '現在跑在 WebContainer 裡，叢集的 API 在 http://localhost:8001。' : '回到這一頁裡了，叢集跟剛才一樣。');
  }

  async #share(): Promise<void> {
    const [{ encodeSession }, saved] = await Promise.all([import('./share.ts'), this.#ask<SavedSession | undefined>({ type: 'save' })]);
    if (!saved) return this.#notice('這次做的事太多了，放不進一個連結。');
    const link = `${location.origin}${location.pathname}#share=${await encodeSession(saved)}`;
    await navigator.clipboard.writeText(link).then(
      () => this.#notice(`連結已經複製好了（${(link.length / 1000).toFixed(1)} kB）。打開的人會看到叢集現在的樣子；內容都在連結裡，沒有上傳。`),
      () => this.#notice(`瀏覽器不讓我用剪貼簿。連結在這裡：${link}`),
    );
  }

  /** Goes back: the session is replayed up to another moment and stands still there. The future that is left is kept. */
  async #travel(to: (saved: SavedSession) => SavedSession | undefined): Promise<void> {
    const saved = await this.#ask<SavedSession | undefined>({ type: 'save' }).catch(() => undefined);
    const past = saved && to(saved);
    if (!saved || !past) return this.#notice('前面沒有可以倒回的地方了。');
    this.#future = { saved, timeline: structuredClone(this.#timeline.memory) };
    await this.#jump(past);
    this.#timeline.cut(past.nowMs, commandCount(past));
    this.#notice(`時間停在 ${clockText(past.nowMs - (this.#startMs ?? past.nowMs))}。要接著走，把時間調回 ×1；原本的未來留在「倒回」裡。`);
  }

  async #jump(saved: SavedSession): Promise<void> {
    this.#ready = false;
    this.#terminals.clear();
    this.#setSpeed(0);
    await this.#boot(saved);
    find(this.#root, '[data-future]').hidden = this.#future === undefined;
    this.#keepSoon();
  }

  #setSpeed(speed: number): void {
    this.#speed = speed;
    const choice = this.#root.querySelector<HTMLInputElement>(`[name="lab-speed"][value="${speed}"]`);
    if (choice) choice.checked = true;
    if (this.#ready) void this.#ask({ type: 'set-speed', speed }).catch(() => undefined);
  }

  async #boot(restore: SavedSession | undefined): Promise<void> {
    this.#root.dataset.state = 'starting';
    if (restore?.inputs[0]) this.#startMs ??= restore.inputs[0].atMs;
    // One worker serves session after session; only a dead one is replaced.
    this.#connection ??= connectWorker(
      (notice) => this.#onNotice(notice),
      (reason) => this.#onDeath(reason),
    );
    const { lab } = this.#files;
    try {
      const { nowMs } = await this.#connection.request<{ nowMs: number }>({ type: 'start', lab: this.#files, seed: lab.name, restore });
      this.#startMs ??= nowMs;
      for (const size of this.#terminals.open) await this.#connection.request({ type: 'open-terminal', ...size });
      if (!restore) for (const [path, text] of Object.entries(fileStore.read(lab.name))) await this.#connection.request({ type: 'write-file', path, text });
      if (this.#speed !== 1) await this.#connection.request({ type: 'set-speed', speed: this.#speed });
    } catch (error) {
      if (restore) {
        sessionStore.remove(lab.name);
        this.#notice('上次的進度沒辦法重播，所以從頭開始；你改過的檔案和完成的步驟都還在。');
        this.#terminals.clear();
        return this.#boot(undefined);
      }
      this.#onDeath(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#ready = true;
    this.#root.dataset.state = 'ready';
    this.#steps.enable();
    for (const request of this.#waiting.splice(0)) this.#send(request);
    void this.#filesPane.refresh().catch(() => undefined);
  }

  #ask<T>(request: SessionRequest): Promise<T> {
    return this.#connection ? this.#connection.request<T>(request) : Promise.reject(new Error('實驗還沒開始'));
  }

  /** For what needs no answer: a refusal is shown. */
  #send(request: SessionRequest): void {
    if (!this.#ready) {
      if (request.type === 'input' || request.type === 'run') this.#waiting.push(request);
      return;
    }
    this.#ask(request).catch((error: Error) => this.#notice(error.message, 'error'));
    this.#keepSoon();
  }

  #run(command: string): void {
    this.#showTab('terminal');
    this.#sheet.open();
    this.#send({ type: 'run', terminal: this.#terminals.active, command });
    // On a phone the focus would open the keyboard over what the command prints.
    if (!matchMedia('(pointer: coarse)').matches) this.#terminals.focus();
  }

  #onNotice(notice: SessionNotice): void {
    switch (notice.type) {
      case 'output':
        this.#terminals.write(notice.terminal, notice.data);
        return;
      case 'view':
        this.#startMs ??= notice.view.nowMs;
        this.#chart.show(notice.view);
        this.#events.show(notice.view, this.#startMs);
        this.#timeline.show(notice.view, this.#startMs);
        this.#keepSoon();
        return;
      case 'clock':
        this.#startMs ??= notice.nowMs;
        find(this.#root, '[data-clock]').textContent = clockText(notice.nowMs - this.#startMs);
        this.#timeline.tick(notice.nowMs);
        return;
      case 'progress':
        if (!this.#visiting) this.#steps.show(notice.steps);
        return;
      case 'command':
        if (!this.#visiting) this.#steps.entered();
        this.#timeline.command(notice.line);
        return;
      case 'files-changed':
        void this.#filesPane.refresh().catch(() => undefined);
        return;
      case 'edit':
        this.#showTab('files');
        void this.#filesPane.open(notice.path).catch((error: Error) => this.#notice(error.message, 'error'));
        return;
      case 'failed':
        this.#notice(`模擬器出了錯：${notice.message}`, 'error');
        console.error(notice.detail);
        return;
    }
  }

  #onDeath(reason: string): void {
    this.#ready = false;
    this.#connection?.close();
    this.#connection = undefined;
    this.#inWebContainer = false;
    this.#root.dataset.state = 'failed';
    this.#steps.disable();
    this.#notice(`實驗停住了（${reason}）。課文照樣能讀；按「再試一次」會回到最後存下的地方。`, 'error', {
      label: '再試一次',
      action: () => {
        this.#terminals.clear();
        const kept = sessionStore.read(this.#files.lab.name);
        void this.#boot(kept?.digest === this.#digest ? kept.saved : undefined);
      },
    });
  }

  /** Keeps the session in this browser, unless another page has the same lab open. */
  async #keep(): Promise<void> {
    if (!this.#ready || !this.#owner) return;
    const saved = await this.#ask<SavedSession | undefined>({ type: 'save' }).catch(() => undefined);
    if (saved && !sessionStore.write(this.#files.lab.name, { digest: this.#digest, saved, timeline: this.#timeline.memory })) {
      this.#owner = false;
      this.#notice('瀏覽器的儲存空間滿了或被關掉：這次的操作不會留到下次。');
    }
  }

  #select(object: string): void {
    this.#showTab('why');
    this.#why((details) => details.show(object));
  }

  #why(job: (details: Details) => Promise<void> | void): void {
    this.#details ??= import('./details.ts').then(
      ({ Details }) =>
        new Details(find(this.#root, '[data-panel="why"]'), {
          request: (request) => this.#ask(request),
          run: (command) => this.#run(command),
          startMs: () => this.#startMs ?? 0,
        }),
    );
    this.#details.then(job).catch((error: Error) => {
      this.#details = undefined;
      this.#notice(`「為什麼」打不開：${error.message}`, 'error');
    });
  }

  #notice(text: string, kind: 'word' | 'error' = 'word', ...buttons: NoticeButton[]): void {
    showNotice(this.#root, text, kind, buttons);
  }

  #showTab(id: string): void {
    showPanel(this.#root, id);
    if (id === 'files') void this.#filesPane.shown().catch((error: Error) => this.#notice(`編輯器打不開：${error.message}`, 'error'));
    if (id === 'timeline') this.#timeline.draw();
    if (id === 'why') this.#why(() => undefined);
  }

  #wire(): void {
    const complain = (message: string): void => this.#notice(message, 'error');
    const pace = (speed: number): void => void this.#ask({ type: 'set-speed', speed }).catch(() => undefined);
    wireTabs(
      this.#root,
      (id) => this.#showTab(id),
      () => this.#terminals.focus(),
    );
    wireBar(this.#root, {
      speed: (speed) => {
        this.#speed = speed;
        if (this.#ready) pace(speed);
      },
      forward: (request) => this.#ask(request),
      undo: () => void this.#travel(beforeLastCommand),
      pick: () => this.#showTab('timeline'),
      future: () => {
        const future = this.#future;
        this.#future = undefined;
        if (future) void this.#jump(future.saved).then(() => this.#timeline.remember(future.timeline));
      },
      share: () => this.#share(),
      reset: () => void this.#reset(),
      host: () => this.#switchHost(),
      complain,
    });
    wireOutline(this.#root, () => this.#terminals.text(), complain);
    wireHiding(HIDDEN_MS, {
      hide: () => void this.#keep(),
      pause: () => {
        if (!this.#ready || this.#speed === 0) return false;
        pace(0);
        return true;
      },
      resume: () => {
        pace(this.#speed);
        this.#notice('你離開的時候，叢集的時間停著等你。');
      },
    });
  }

  /** A new cluster and the files as they came; reached steps stay reached. */
  async #reset(): Promise<void> {
    const { name } = this.#files.lab;
    sessionStore.remove(name);
    fileStore.remove(name);
    this.#ready = false;
    this.#startMs = undefined;
    this.#timeline.reset();
    this.#terminals.clear();
    await this.#boot(undefined);
    this.#terminals.focus();
  }
}
