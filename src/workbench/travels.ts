import type { ObjectChange } from '../lab/moments.ts';
import type { ClusterView, SavedSession, SessionNotice, SessionRequest } from '../lab/protocol.ts';
import { type Branch, branchLabel, othersThan, withBranch } from './branches.ts';
import type { Connection } from './connection.ts';
import type { NoticeButton } from './controls.ts';
import { clockText, find } from './dom.ts';
import { decodeSession } from './share.ts';
import type { Sharing } from './sharing.ts';
import { branchStore } from './store.ts';
import type { TimelineLog } from './timeline-log.ts';
import { beforeLastCommand, sessionAt } from './travel.ts';

/** What the workbench lends to those who move in time or carry a session away. */
export interface Desk {
  root: HTMLElement;
  lab: { name: string; title: string };
  timeline: TimelineLog;
  ask<T>(request: SessionRequest): Promise<T>;
  run(command: string): void;
  notice(text: string, kind?: 'word' | 'error', ...buttons: NoticeButton[]): void;
  /** The newest view. */
  view(): ClusterView | undefined;
  startMs(): number;
  terminalText(): string;
  /** Shows the cluster as it was then; undefined: as it is. */
  preview(atMs: number | undefined): void;
  /** The reader's own session, as it was kept. */
  openKept(): Promise<void>;
  setSpeed(speed: number): void;
  /** Replays a session and stands still at its end. */
  jump(saved: SavedSession): Promise<void>;
  /** While visiting, nothing can be typed, and nothing is kept. */
  visit(visiting: boolean): void;
  /** What a session in another host tells. */
  heard(notice: SessionNotice): void;
  died(reason: string): void;
  /** Goes on in another host, with the session replayed there; undefined: in the page's own worker. */
  move(connection: Connection | undefined, saved: SavedSession | undefined): Promise<void>;
}

/** Going back and returning, comparing, sharing, opening what others shared, slides, and the failures menu. */
export class Travels {
  #desk: Desk;
  #branches: Branch[];

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#branches = branchStore.read(desk.lab.name);
  }

  /** A link with a session in its fragment. Where it cannot be opened the reader's own session is. */
  async openLink(text: string): Promise<void> {
    try {
      await this.#visit(await decodeSession(text));
    } catch (error) {
      this.#desk.notice(`分享的連結打不開：${(error as Error).message}`, 'error');
      await this.#home();
    }
  }

  /** Somebody's session: shown standing still and read-only, and the reader's own progress untouched until they go on from it. */
  async #visit(saved: SavedSession): Promise<void> {
    const desk = this.#desk;
    if (saved.lab !== desk.lab.name) throw new Error('這是另一個實驗的。');
    desk.visit(true);
    await desk.jump(saved);
    const came = await this.#save();
    if (saved.mark !== undefined && came?.mark !== saved.mark) throw new Error('它來自另一個版本的海圖室，這裡重播出來不一樣。');
    desk.notice(
      '這是別人分享的時刻，時間停著，只能看。',
      'word',
      {
        label: '從這裡接著做',
        action: () => {
          this.#leaveVisit();
          desk.setSpeed(1);
        },
      },
      { label: '回到我的進度', action: () => void this.#home() },
    );
  }

  #leaveVisit(): void {
    history.replaceState(null, '', location.pathname + location.search);
    this.#desk.visit(false);
  }

  async #home(): Promise<void> {
    this.#leaveVisit();
    this.#desk.setSpeed(1);
    await this.#desk.openKept();
  }

  #save(): Promise<SavedSession | undefined> {
    return this.#desk.ask<SavedSession | undefined>({ type: 'save' }).catch(() => undefined);
  }

  #clock(ms: number): string {
    return clockText(ms - this.#desk.startMs());
  }

  /** Goes back: the session is replayed up to another moment and stands still there. The future that is left is kept. */
  async back(to: number | 'last command'): Promise<void> {
    const saved = await this.#save();
    const past = saved && (to === 'last command' ? beforeLastCommand(saved) : sessionAt(saved, to));
    if (!saved || !past) return this.#desk.notice('前面沒有可以倒回的地方了。');
    this.#leave(saved);
    await this.#desk.jump(past);
    this.#desk.notice(`時間停在 ${this.#clock(past.nowMs)}。要接著走，把時間調回 ×1；原本的未來留在「倒回」裡。`);
  }

  #leave(saved: SavedSession): void {
    this.#branches = withBranch(this.#branches, { saved, last: this.#desk.timeline.commands.at(-1)?.line ?? '' });
    branchStore.write(this.#desk.lab.name, this.#branches);
  }

  /** Returns to a future that was left; the present one is kept in turn. */
  async #return(branch: Branch): Promise<void> {
    const saved = await this.#save();
    if (saved) this.#leave(saved);
    await this.#desk.jump(branch.saved);
  }

  /** Fills the menu with the futures to which one can return. */
  async listBranches(): Promise<void> {
    const place = find(this.#desk.root, '[data-branches]');
    const saved = await this.#save();
    this.#branches = branchStore.read(this.#desk.lab.name);
    const others = saved ? othersThan(this.#branches, saved) : this.#branches;
    place.replaceChildren(
      ...others.map((branch) => {
        const button = Object.assign(document.createElement('button'), { type: 'button', textContent: branchLabel(branch, (ms) => this.#clock(ms)) });
        button.dataset.future = '';
        button.addEventListener('click', () => {
          place.closest<HTMLElement>('[popover]')?.hidePopover();
          void this.#return(branch);
        });
        return button;
      }),
    );
  }

  /** Carries the session to a WebContainer, or back into the page, by replaying it there. Where that cannot be, nothing changes. */
  async switchHost(): Promise<void> {
    const desk = this.#desk;
    const button = find(desk.root, '[data-host]');
    const saved = await this.#save();
    const there = button.dataset.host === 'webcontainer';
    let connection: Connection | undefined;
    if (!there) {
      desk.notice('正在打開 WebContainer……');
      const { connectWebContainer } = await import('../hosts/webcontainer/connect.ts');
      try {
        connection = await connectWebContainer({
          programUrl: `${import.meta.env.BASE_URL.replace(/\/?$/, '/')}webcontainer/session.mjs`,
          onNotice: (notice) => desk.heard(notice),
          onDeath: (reason) => {
            this.#sayHost(false);
            desk.died(reason);
          },
        });
      } catch (error) {
        return desk.notice(`${(error as Error).message}實驗繼續在這一頁裡跑。`);
      }
    }
    this.#sayHost(!there);
    await desk.move(connection, saved);
    desk.notice(there ? '回到這一頁裡了，叢集跟剛才一樣。' : '現在跑在 WebContainer 裡，叢集的 API 在 http://localhost:8001。');
  }

  #sayHost(webContainer: boolean): void {
    const button = find(this.#desk.root, '[data-host]');
    button.dataset.host = webContainer ? 'webcontainer' : '';
    button.textContent = webContainer ? '回到這一頁裡跑' : '改在 WebContainer 裡跑（有真的 Node.js）';
  }

  async compare(place: HTMLElement, moments: { fromMs: number; toMs: number }): Promise<void> {
    const [{ showComparison }, changes] = await Promise.all([import('./compare.ts'), this.#desk.ask<ObjectChange[]>({ type: 'compare', ...moments })]);
    showComparison(place, changes, moments, (ms) => this.#clock(ms));
  }

  async openFailures(menu: HTMLElement): Promise<void> {
    const view = this.#desk.view();
    if (!view) return;
    const { fillFailures } = await import('./failures-menu.ts');
    await fillFailures(menu, {
      view,
      pod: (namespace, name) => this.#desk.ask({ type: 'get-object', resource: 'v1/pods', namespace, name }),
      run: (command) => this.#desk.run(command),
      close: () => menu.hidePopover(),
    });
  }

  async share(how: 'link' | 'question' | 'file' | 'open' | 'slides'): Promise<void> {
    if (how === 'slides') return this.#slides();
    const { openFile, shareFile, shareLink, shareQuestion } = await import('./sharing.ts');
    await { link: shareLink, file: shareFile, question: shareQuestion, open: openFile }[how](this.#sharing());
  }

  #sharing(): Sharing {
    const desk = this.#desk;
    return {
      lab: desk.lab,
      request: (request) => desk.ask(request),
      view: () => desk.view(),
      commands: () => desk.timeline.commands.map((command) => command.line),
      terminalText: () => desk.terminalText(),
      notice: (text) => desk.notice(text),
      open: (saved) => {
        this.#visit(saved).catch(async (error: Error) => {
          desk.notice(`檔案打不開：${error.message}`, 'error');
          await this.#home();
        });
      },
    };
  }

  async #slides(): Promise<void> {
    const { timeline, root } = this.#desk;
    if (timeline.commands.length === 0) return this.#desk.notice('還沒有下過指令，沒有東西可以播放。');
    const { showSlides } = await import('./slides.ts');
    showSlides(find(root, '[data-slides]'), {
      commands: timeline.commands,
      startMs: this.#desk.startMs(),
      nowMs: this.#desk.view()?.nowMs ?? 0,
      request: (request) => this.#desk.ask(request),
      preview: (atMs) => this.#desk.preview(atMs),
    });
  }
}
