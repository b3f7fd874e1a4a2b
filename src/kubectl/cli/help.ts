import { type Command, commandTree, globalFlags } from './command.ts';
import { parseDefinitions } from './flags.ts';
import { SUMMARIES } from './summaries.ts';

const GROUPS: [title: string, names: string][] = [
  ['基本指令（初學）', 'create expose run set'],
  ['基本指令（進階）', 'explain get edit delete'],
  ['部署', 'rollout scale autoscale'],
  ['叢集管理', 'certificate cluster-info top cordon uncordon drain taint'],
  ['找問題與除錯', 'describe logs attach exec port-forward proxy cp auth debug events'],
  ['進階', 'diff apply patch replace wait kustomize'],
  ['設定', 'label annotate completion'],
  ['其他', 'api-resources api-versions config plugin version'],
];

const child = (command: Command, name: string): Command | undefined => command.children.find((each) => each.name === name || each.aliases.includes(name));

const row = (name: string, path: string): string => `  ${name.padEnd(15)} ${SUMMARIES[path] ?? ''}`.trimEnd();

/** Help for a command given by its words; short, in Traditional Chinese. */
export function helpText(words: readonly string[]): string {
  const root = commandTree();
  let command = root;
  for (const word of words) {
    const next = child(command, word);
    if (!next) break;
    command = next;
  }
  if (command === root) return rootText();
  if (command.path === 'options') return optionsText();
  const parts: string[] = [`${SUMMARIES[command.path] ?? command.usage}。`];
  if (command.aliases.length > 0) parts.push(`別名：\n  ${[command.name, ...command.aliases].join(', ')}`);
  if (command.children.length > 0) parts.push(`子指令：\n${command.children.map((each) => row(each.name, each.path)).join('\n')}`);
  const flags = flagText(command.flagSpec);
  if (flags !== '') parts.push(`選項：\n${flags}`);
  parts.push(`用法：\n  ${command.usage}`);
  if (command.children.length > 0) parts.push(`用 "kubectl ${command.path} <子指令> --help" 看各子指令的說明。`);
  parts.push('用 "kubectl options" 看每個指令都能用的選項。');
  return `${parts.join('\n\n')}\n`;
}

function rootText(): string {
  const groups = GROUPS.map(
    ([title, names]) =>
      `${title}：\n${names
        .split(' ')
        .map((name) => row(name, name))
        .join('\n')}`,
  );
  return `kubectl 向 Kubernetes 的 API 伺服器查詢物件，也請它改變物件。\n\n${groups.join('\n\n')}\n\n用法：\n  kubectl [flags] [options]\n\n用 "kubectl <指令> --help" 看一個指令的說明。\n用 "kubectl options" 看每個指令都能用的選項。\n`;
}

function optionsText(): string {
  return `每個指令都能用的選項：\n\n${definitionText(globalFlags())}\n`;
}

const flagText = (spec: string): string => definitionText(parseDefinitions(spec));

function definitionText(definitions: ReturnType<typeof parseDefinitions>): string {
  return definitions
    .map((flag) => {
      const { defaultText } = flag;
      const shown =
        flag.type === 'b'
          ? defaultText || 'false'
          : flag.type === 'l' || flag.type === 'a'
            ? '[]'
            : flag.type === 'i' || flag.type === 'd'
              ? defaultText
              : `'${defaultText}'`;
      return `    ${flag.shorthand ? `-${flag.shorthand}, ` : ''}--${flag.name}=${shown}`;
    })
    .join('\n');
}
