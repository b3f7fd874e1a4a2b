/** What a question to others needs, so that they see the same as the one who asks. */
export interface Question {
  lab: string;
  /** '' when the session is too long for a link. */
  link: string;
  commands: readonly string[];
  /** The terminal's text. */
  output: string;
  /** YAML by "pod/web-0", of what is not well. */
  objects: readonly { name: string; yaml: string }[];
}

const MOST_COMMANDS = 30;
const MOST_LINES = 60;

/** A question as Markdown for a forum or an issue: link, commands, output, YAML. */
export function questionMarkdown({ lab, link, commands, output, objects }: Question): string {
  const lines = output.trimEnd().split('\n').slice(-MOST_LINES).join('\n');
  const parts = [
    `### 海圖室〈${lab}〉的問題`,
    '（在這裡寫下：你想做什麼、以為會怎樣、結果怎樣）',
    link === '' ? '這次做的事太多，放不進一個連結，請看附上的檔案。' : `[打開我的叢集](${link})（連結裡就是整個實驗，沒有上傳到任何地方）`,
    `**我打的指令**\n\n${fenced(commands.slice(-MOST_COMMANDS).join('\n'), 'sh')}`,
    `**終端機最後的畫面**\n\n${fenced(lines, 'text')}`,
    ...objects.map(({ name, yaml }) => `<details><summary>${name.replace(/[<>&]/g, '')} 的 YAML</summary>\n\n${fenced(yaml.trimEnd(), 'yaml')}\n\n</details>`),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
