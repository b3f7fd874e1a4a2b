import type { ClusterView, LabFileSet, PodHistory, SavedSession, SessionNotice, SessionRequest } from '../lab/protocol.ts';
import { ClusterChart } from './cluster-view.ts';
import { type Connection, connectWorker } from './connection.ts';
import { claimLab, type NoticeButton, showNotice, showPanel, wireBar, wireHiding, wireOutline, wireTabs } from './controls.ts';
import type { Details } from './details.ts';
import { wireDividers, wireSheet } from './dividers.ts';
import { clockText, find, paced } from './dom.ts';
import { createEvents } from './events.ts';
import type { FilesPane } from './files.ts';
import { createSteps, type StepsPane } from './steps.ts';
import { branchStore, digest, fileStore, sessionStore } from './store.ts';
import { TerminalDeck } from './terminal-deck.ts';
import type { Timeline } from './timeline.ts';
import { TimelineLog } from './timeline-log.ts';
import type { Desk, Travels } from './travels.ts';

/** A page left in the background stops its cluster's clock after this long. */
const HIDDEN_MS = 120_000;

/** The lab of a page: the session in its worker, and everything that shows it. */
export class Workbench {
  #root: HTMLElement;
  #files: LabFileSet;
  #digest: string;
  #connection: Connection | undefined;
  #terminals: TerminalDeck;
  /** Fetched with the first look at a file. */
  #filesPane: Promise<FilesPane> | undefined;
  #steps: StepsPane;
  #chart: ClusterChart;
  #events: ReturnType<typeof createEvents>;
  #timeline = new TimelineLog();
  #timelinePanel: Promise<Timeline> | undefined;
  /** Fetched when first asked why. */
  #details: Promise<Details> | undefined;
  #sheet: ReturnType<typeof wireSheet>;
  #startMs: number | undefined;
  #speed = 1;
  #ready = false;
  /** Commands and keys that came before the session was ready. */
  #waiting: SessionRequest[] = [];
  #owner = true;
  /** Somebody else's session is shown: it is looked at, not gone on with, nor kept; what it reached is not this reader's. */
  #visiting = false;
  #travels: Promise<Travels> | undefined;
  /** The newest view, and whether another moment is shown instead. */
  #view: ClusterView | undefined;
  #previewMs: number | undefined;
  #keepSoon: () => void;

  constructor(root: HTMLElement, files: LabFileSet) {
    this.#root = root;
    this.#files = files;
    this.#digest = digest(JSON.stringify(files));
    this.#keepSoon = paced(() => void this.#keep(), 1200);
    wireDividers(root);
    this.#sheet = wireSheet(root);
    this.#chart = new ClusterChart(find(root, '[data-view-panel]'), (object) => this.#select(object));
    this.#events = createEvents(find(root, '[data-panel="events"]'), (object) => this.#select(object));
    this.#terminals = new TerminalDeck(find(root, '[data-panel="terminal"]'), root, {
      send: (terminal, data) => this.#send({ type: 'input', terminal, data }),
      resized: (terminal, columns, rows) => this.#ready && this.#send({ type: 'resize', terminal, columns, rows }),
      opened: (terminal, columns, rows) => this.#send({ type: 'open-terminal', terminal, columns, rows }),
      closed: (terminal) => this.#send({ type: 'close-terminal', terminal }),
      leave: () => find(root, '[role="tab"][aria-selected="true"]').focus(),
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
    const shared = /^#share=(.*)$/.exec(location.hash)?.[1];
    if (shared === undefined) await this.#openKept();
    else this.#travel((travels) => travels.openLink(shared));
  }

  async #openKept(): Promise<void> {
    const kept = sessionStore.read(this.#files.lab.name);
    const usable = kept?.digest === this.#digest ? kept : undefined;
    if (kept && !usable) this.#notice('實驗的內容更新過，所以從頭開始；你改過的檔案都還在。');
    await this.#boot(usable?.saved);
  }

  #drawTimeline(): void {
    this.#timelinePanel ??= import('./timeline.ts').then(
      ({ Timeline: Panel }) =>
        new Panel(find(this.#root, '[data-panel="timeline"]'), this.#timeline, {
          preview: (atMs) => void this.#preview(atMs),
          travel: (toMs) => this.#travel((travels) => travels.back(toMs)),
          compare: (place, moments) => this.#travel((travels) => travels.compare(place, moments)),
        }),
    );
    this.#timelinePanel.then((timeline) => timeline.draw()).catch((error: Error) => this.#notice(error.message, 'error'));
  }

  /** What is done now and then — going back, branches, comparing, sharing, breaking things — is fetched when first wanted. */
  #travel(job: (travels: Travels) => Promise<unknown>): void {
    this.#travels ??= import('./travels.ts').then(({ Travels }) => new Travels(this.#desk()));
    this.#travels.then(job).catch((error: Error) => this.#notice(error.message, 'error'));
  }

  #desk(): Desk {
    return {
      root: this.#root,
      lab: this.#files.lab,
      timeline: this.#timeline,
      ask: (request) => this.#ask(request),
      run: (command) => this.#run(command),
      notice: (text, kind = 'word', ...buttons) => this.#notice(text, kind, ...buttons),
      view: () => this.#view,
      startMs: () => this.#startMs ?? 0,
      terminalText: () => this.#terminals.text(),
      preview: (atMs) => void this.#preview(atMs),
      openKept: () => this.#openKept(),
      setSpeed: (speed) => this.#setSpeed(speed),
      jump: async (saved) => {
        this.#setSpeed(0);
        await this.#boot(saved);
        this.#keepSoon();
      },
      visit: (visiting) => {
        this.#visiting = visiting;
      },
      heard: (notice) => this.#onNotice(notice),
      died: (reason) => this.#onDeath(reason),
      move: async (connection, saved) => {
        this.#connection?.close();
        this.#connection = connection;
        await this.#boot(saved);
      },
    };
  }

  /** Draws the cluster as it was at a moment; undefined: as it is. */
  async #preview(atMs: number | undefined): Promise<void> {
    this.#previewMs = atMs;
    this.#root.toggleAttribute('data-past', atMs !== undefined);
    const view = atMs === undefined ? this.#view : await this.#ask<ClusterView>({ type: 'moment', atMs }).catch((error: Error) => this.#notice(error.message));
    if (view && this.#previewMs === atMs) this.#draw(view);
  }

  #draw(view: ClusterView): void {
    this.#chart.show(view);
    this.#events.show(view, this.#startMs ?? view.nowMs);
  }

  #setSpeed(speed: number): void {
    this.#speed = speed;
    const choice = this.#root.querySelector<HTMLInputElement>(`[name="lab-speed"][value="${speed}"]`);
    if (choice) choice.checked = true;
    if (this.#ready) void this.#ask({ type: 'set-speed', speed }).catch(() => undefined);
  }

  async #boot(restore: SavedSession | undefined): Promise<void> {
    this.#root.dataset.state = 'starting';
    this.#ready = false;
    this.#startMs = undefined;
    this.#timeline.reset();
    this.#terminals.clear();
    void this.#preview(undefined);
    if (restore?.inputs[0]) this.#startMs = restore.inputs[0].atMs;
    // One worker serves session after session; only a dead one is replaced.
    this.#connection ??= connectWorker(
      (notice) => this.#onNotice(notice),
      (reason) => this.#onDeath(reason),
    );
    const { lab } = this.#files;
    try {
      const { nowMs } = await this.#connection.request<{ nowMs: number }>({ type: 'start', lab: this.#files, seed: lab.name, restore, speed: this.#speed });
      this.#startMs ??= nowMs;
      for (const size of this.#terminals.open) await this.#connection.request({ type: 'open-terminal', ...size });
      if (!restore) for (const [path, text] of Object.entries(fileStore.read(lab.name))) await this.#connection.request({ type: 'write-file', path, text });
      if (restore) this.#timeline.rebuild(await this.#connection.request<PodHistory[]>({ type: 'history' }), this.#startMs);
    } catch (error) {
      if (restore) {
        sessionStore.remove(lab.name);
        this.#notice('上次的進度沒辦法重播，所以從頭開始；你改過的檔案和完成的步驟都還在。');
        return this.#boot(undefined);
      }
      this.#onDeath(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#ready = true;
    this.#root.dataset.state = 'ready';
    this.#steps.enable();
    for (const request of this.#waiting.splice(0)) this.#send(request);
    this.#refreshFiles();
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
    if (this.#visiting && request.type !== 'open-terminal' && request.type !== 'resize') return;
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
        this.#view = notice.view;
        if (this.#previewMs === undefined) this.#draw(notice.view);
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
        this.#timeline.command(notice.line, notice.atMs);
        return;
      case 'files-changed':
        this.#refreshFiles();
        this.#keepSoon();
        return;
      case 'edit':
        this.#showTab('files');
        this.#inFiles((pane) => pane.open(notice.path));
        return;
      case 'failed':
        this.#notice(`模擬器出了錯：${notice.message}`, 'error', this.#reporter(`${notice.message}\n${notice.detail}`), {
          label: '知道了',
          action: () => undefined,
        });
        console.error(notice.detail);
        return;
    }
  }

  #onDeath(reason: string): void {
    this.#ready = false;
    this.#connection?.close();
    this.#connection = undefined;
    this.#root.dataset.state = 'failed';
    this.#steps.disable();
    const again = (): void => {
      const kept = sessionStore.read(this.#files.lab.name);
      void this.#boot(kept?.digest === this.#digest ? kept.saved : undefined);
    };
    const words = `實驗停住了（${reason}）。課文照樣能讀；按「再試一次」會回到最後存下的地方。`;
    this.#notice(words, 'error', { label: '再試一次', action: again }, this.#reporter(reason));
  }

  /** Copies what helps to find a fault: what was said, what was done, where. */
  #reporter(what: string): NoticeButton {
    const lab = this.#files.lab.name;
    const commands = this.#timeline.commands.map((command) => command.line);
    return { label: '複製報告', stays: true, action: () => void import('./crash-report.ts').then(({ copyReport }) => copyReport({ what, lab, commands })) };
  }

  /** Keeps the session in this browser, unless another page has the same lab open. */
  async #keep(): Promise<void> {
    if (!this.#ready || !this.#owner || this.#visiting) return;
    const saved = await this.#ask<SavedSession | undefined>({ type: 'save' }).catch(() => undefined);
    if (saved && !sessionStore.write(this.#files.lab.name, { digest: this.#digest, saved })) {
      this.#owner = false;
      this.#notice('瀏覽器的儲存空間滿了或被關掉：這次的操作不會留到下次。');
    }
  }

  #inFiles(job: (pane: FilesPane) => Promise<void>): void {
    this.#filesPane ??= import('./files.ts').then(({ createFiles }) =>
      createFiles(find(this.#root, '[data-panel="files"]'), {
        lab: this.#files.lab.name,
        originals: this.#files.files,
        request: (request) => this.#ask(request),
        apply: (path) => this.#run(`kubectl apply -f ${path}`),
      }),
    );
    this.#filesPane.then(job).catch((error: Error) => {
      this.#filesPane = undefined;
      this.#notice(`編輯器打不開：${error.message}`, 'error');
    });
  }

  #refreshFiles(): void {
    void this.#filesPane?.then((pane) => pane.refresh()).catch(() => undefined);
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
          pods: () => this.#view?.pods ?? [],
          atMs: () => this.#previewMs,
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
    if (id === 'files') this.#inFiles((pane) => pane.shown());
    if (id === 'timeline') this.#drawTimeline();
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
      undo: () => this.#travel((travels) => travels.back('last command')),
      pick: () => this.#showTab('timeline'),
      branches: () => this.#travel((travels) => travels.listBranches()),
      failures: (menu) => this.#travel((travels) => travels.openFailures(menu)),
      share: (how) => this.#travel((travels) => travels.share(how)),
      reset: () => void this.#reset(),
      host: () => this.#travel((travels) => travels.switchHost()),
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
    branchStore.remove(name);
    await this.#boot(undefined);
    this.#terminals.focus();
  }
}
