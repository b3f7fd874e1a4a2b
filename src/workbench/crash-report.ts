import type { SavedSession } from '../lab/protocol.ts';
import { encodeSession } from './share.ts';
import { sessionStore } from './store.ts';

interface Fault {
  /** The error's own words, with its stack where there is one. */
  what: string;
  lab: string;
  commands: readonly string[];
}

const MOST_COMMANDS = 20;

/** A report for whoever mends the program, as Markdown. */
export function crashReport({ what, lab, commands }: Fault, place: { page: string; agent: string; session: string }): string {
  const session = place.session === '' ? '' : `\nSession (open the lesson with this behind its address): \`#share=${place.session}\`\n`;
  return `### 海圖室 crash report

- lab: ${lab}
- page: ${place.page}
- browser: ${place.agent}

\`\`\`\`text
${what.trim()}
\`\`\`\`

Last commands:

\`\`\`\`sh
${commands.slice(-MOST_COMMANDS).join('\n')}
\`\`\`\`
${session}`;
}

/** Copies the report; where the clipboard is not to be had, it is shown in a window of its own text. */
export async function copyReport(fault: Fault): Promise<void> {
  const kept: SavedSession | undefined = sessionStore.read(fault.lab)?.saved;
  const session = kept ? await encodeSession(kept).catch(() => '') : '';
  const text = crashReport(fault, { page: location.pathname, agent: navigator.userAgent, session });
  await navigator.clipboard.writeText(text).catch(() => {
    prompt('瀏覽器不讓我用剪貼簿，請從這裡複製：', text);
  });
}
