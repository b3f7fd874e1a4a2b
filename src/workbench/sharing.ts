import type { ClusterView, SavedSession, SessionRequest } from '../lab/protocol.ts';
import { questionMarkdown } from './question.ts';
import { encodeSession, readSessionFile, sessionFile } from './share.ts';

/** Longer links are cut by some chat programs: beyond this a file is offered. */
const LONGEST_LINK = 8_000;
const MOST_OBJECTS = 3;

/** What sharing asks of the workbench. */
export interface Sharing {
  lab: { name: string; title: string };
  request<T>(request: SessionRequest): Promise<T>;
  view(): ClusterView | undefined;
  commands(): readonly string[];
  terminalText(): string;
  notice(text: string): void;
  open(saved: SavedSession): void;
}

async function saved(sharing: Sharing): Promise<SavedSession | undefined> {
  const session = await sharing.request<SavedSession | undefined>({ type: 'save' });
  if (!session) sharing.notice('這次做的事太多了，沒辦法重播，所以不能分享。');
  return session;
}

/** The link to a session; '' when it is too long for one. */
async function linkTo(session: SavedSession): Promise<string> {
  const link = `${location.origin}${location.pathname}#share=${await encodeSession(session)}`;
  return link.length > LONGEST_LINK ? '' : link;
}

async function copy(sharing: Sharing, text: string, done: string): Promise<void> {
  await navigator.clipboard.writeText(text).then(
    () => sharing.notice(done),
    () => sharing.notice(`瀏覽器不讓我用剪貼簿。內容在這裡：${text}`),
  );
}

function download(session: SavedSession): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([sessionFile(session)], { type: 'application/json' }));
  link.download = `${session.lab}.chartroom.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copies a link that carries the session; beyond 8 kB, offers the file. */
export async function shareLink(sharing: Sharing): Promise<void> {
  const session = await saved(sharing);
  if (!session) return;
  const link = await linkTo(session);
  if (link === '') {
    download(session);
    return sharing.notice('這次做的事放不進一個連結，所以存成檔案了；把檔案傳給對方，對方用「打開檔案」就能看到。');
  }
  await copy(sharing, link, `連結已經複製好了（${(link.length / 1000).toFixed(1)} kB）。打開的人會看到叢集現在的樣子；內容都在連結裡，沒有上傳。`);
}

export async function shareFile(sharing: Sharing): Promise<void> {
  const session = await saved(sharing);
  if (session) download(session);
}

/** Copies a question: link, commands, output, and the YAML of what is not well. */
export async function shareQuestion(sharing: Sharing): Promise<void> {
  const session = await saved(sharing);
  if (!session) return;
  const unwell = (sharing.view()?.pods ?? []).filter((pod) => !pod.ready && pod.status !== 'Completed').slice(0, MOST_OBJECTS);
  const objects = await Promise.all(
    unwell.map(async ({ namespace, name }) => ({
      name: `pod/${name}`,
      yaml: await sharing.request<string>({ type: 'yaml', resource: 'v1/pods', namespace, name }),
    })),
  );
  const text = questionMarkdown({
    lab: sharing.lab.title,
    link: await linkTo(session),
    commands: sharing.commands(),
    output: sharing.terminalText(),
    objects,
  });
  await copy(sharing, text, '問題複製好了（Markdown）：有連結、指令、畫面和 YAML。貼到討論區，寫上你想問的就行。');
}

/** Lets the reader choose a file and opens the session in it. */
export function openFile(sharing: Sharing): void {
  const input = Object.assign(document.createElement('input'), { type: 'file', accept: '.json,application/json' });
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    file?.text().then(
      (text) => {
        try {
          sharing.open(readSessionFile(text));
        } catch (error) {
          sharing.notice(`檔案打不開：${(error as Error).message}`);
        }
      },
      (error: Error) => sharing.notice(`檔案打不開：${error.message}`),
    );
  });
  input.click();
}
