import { type Failure, failuresFor } from '../lab/failure-commands.ts';
import type { ClusterView } from '../lab/protocol.ts';
import type { Pod } from '../sim/kinds/types.ts';

interface Options {
  view: ClusterView;
  /** The Pod's whole object: what can be broken about it depends on its spec. */
  pod(namespace: string, name: string): Promise<Pod | undefined>;
  run(command: string): void;
  close(): void;
}

/**
 * The failures menu: choose a Pod or a node, then how to break it. Every entry shows the command that does it; pressing
 * runs it in the terminal, so that it is in the session's log like anything typed.
 */
export async function fillFailures(menu: HTMLElement, options: Options): Promise<void> {
  const { view } = options;
  const label = Object.assign(document.createElement('label'), { textContent: '目標 ' });
  const select = document.createElement('select');
  label.append(select);
  for (const pod of view.pods) select.append(new Option(`pod/${pod.name}`, `${pod.namespace}/${pod.name}`));
  for (const node of view.nodes) select.append(new Option(`node/${node.name}`, node.name));
  const list = document.createElement('div');
  list.dataset.failures = '';
  const show = async (): Promise<void> => {
    const [namespace = '', name] = select.value.split('/');
    const pod = name === undefined ? undefined : await options.pod(namespace, name);
    const failures = failuresFor(view, name === undefined ? { node: namespace } : pod ? { pod } : {});
    list.replaceChildren(...failures.map((failure) => entry(failure, options)));
  };
  select.addEventListener('change', () => void show());
  menu.replaceChildren(label, list);
  await show();
  select.focus();
}

function entry(failure: Failure, { run, close }: Options): HTMLElement {
  const row = document.createElement('div');
  row.className = 'failure';
  const button = (text: string, command: string): HTMLButtonElement => {
    const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
    made.addEventListener('click', () => {
      close();
      run(command);
    });
    return made;
  };
  const says = Object.assign(document.createElement('small'), { textContent: failure.says });
  const command = Object.assign(document.createElement('code'), { textContent: failure.command });
  const breaks = button(failure.title, failure.command);
  breaks.dataset.failure = failure.id;
  breaks.append(says, command);
  row.append(breaks);
  if (failure.undo !== undefined) {
    const undo = button('復原', failure.undo);
    undo.setAttribute('aria-label', `復原：${failure.title}`);
    undo.title = failure.undo;
    row.append(undo);
  }
  return row;
}
