import type { SessionRequest } from '../lab/protocol.ts';
import type { Explanation, ExplanationLink, Obstacle } from '../lab/why/types.ts';
import { clockText, find } from './dom.ts';

/** What the page can ask about, by the plural that the chart uses: resource id and kubectl's short word. */
const KINDS: Record<string, { resource: string; word: string }> = {
  pods: { resource: 'v1/pods', word: 'pod' },
  services: { resource: 'v1/services', word: 'svc' },
  persistentvolumeclaims: { resource: 'v1/persistentvolumeclaims', word: 'pvc' },
  nodes: { resource: 'v1/nodes', word: 'node' },
  statefulsets: { resource: 'apps/v1/statefulsets', word: 'sts' },
  deployments: { resource: 'apps/v1/deployments', word: 'deploy' },
  replicasets: { resource: 'apps/v1/replicasets', word: 'rs' },
  daemonsets: { resource: 'apps/v1/daemonsets', word: 'ds' },
};

const VERBS = { created: '建立了', changed: '改了', deleted: '刪除了', asked: '要求' } as const;

/** The panel that answers 「為什麼？」 about a selected object or a DNS name, and shows the object itself. */
export class Details {
  #panel: HTMLElement;
  #body: HTMLElement;
  #request: <T>(request: SessionRequest) => Promise<T>;
  #run: (command: string) => void;
  #startMs: () => number;
  #asked = 0;

  constructor(panel: HTMLElement, options: { request: <T>(request: SessionRequest) => Promise<T>; run: (command: string) => void; startMs: () => number }) {
    this.#panel = panel;
    this.#body = find(panel, '[data-details]');
    this.#request = options.request;
    this.#run = options.run;
    this.#startMs = options.startMs;
    const form = find<HTMLFormElement>(panel, '[data-ask]');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = find<HTMLInputElement>(form, 'input').value.trim();
      if (name !== '') void this.#ask({ type: 'why', resource: 'dns', namespace: 'default', name }, `名字 ${name}`);
    });
  }

  /** "pods/default/web-0", as the chart names what was clicked. */
  async show(object: string): Promise<void> {
    const [plural = '', namespace = '', name = ''] = object.split('/');
    const kind = KINDS[plural];
    if (!kind) return;
    await this.#ask({ type: 'why', resource: kind.resource, namespace, name }, `${kind.word}/${name}`, { ...kind, namespace, name });
  }

  async #ask(request: SessionRequest, title: string, object?: { resource: string; word: string; namespace: string; name: string }): Promise<void> {
    const asked = ++this.#asked;
    this.#body.replaceChildren(paragraph('在查……'));
    try {
      const answer = await this.#request<Explanation>(request);
      if (asked !== this.#asked) return;
      this.#body.replaceChildren(...this.#content(answer, title, object));
    } catch (error) {
      if (asked === this.#asked) this.#body.replaceChildren(paragraph(`查不到：${(error as Error).message}`));
    }
  }

  #content(answer: Explanation, title: string, object?: { resource: string; word: string; namespace: string; name: string }): HTMLElement[] {
    const parts: HTMLElement[] = [];
    const heading = document.createElement('h3');
    heading.textContent = answer.found ? title : `${title}（現在沒有）`;
    parts.push(heading);
    if (object && answer.found) parts.push(this.#tools(object));
    if (answer.obstacles.length > 0) {
      parts.push(
        subheading('卡在哪裡'),
        list(
          'ul',
          answer.obstacles.map((obstacle) => this.#obstacle(obstacle)),
        ),
      );
    }
    if (answer.chain.length > 0) {
      parts.push(
        subheading('為什麼會這樣：從最近的一步，往回追到你的指令'),
        list(
          'ol',
          answer.chain.map((link) => this.#link(link)),
        ),
      );
    }
    if (answer.chain.length === 0 && answer.obstacles.length === 0) {
      parts.push(paragraph(answer.found ? '一切照設定，沒有卡住的地方；它在實驗開始之前就在了。' : '叢集裡沒有它，也沒有人要建立它。'));
    }
    return parts;
  }

  #tools(object: { resource: string; word: string; namespace: string; name: string }): HTMLElement {
    const where = object.namespace === '' || object.namespace === 'default' ? '' : ` -n ${object.namespace}`;
    const row = document.createElement('p');
    const commands: [string, string][] = [
      ['describe', `kubectl describe ${object.word} ${object.name}${where}`],
      ['YAML', `kubectl get ${object.word} ${object.name}${where} -o yaml`],
    ];
    // Breaking things is part of the course; each way shows its command in the terminal.
    if (object.word === 'pod') commands.push(['刪掉這個 Pod', `kubectl delete pod ${object.name}${where}`]);
    if (object.word === 'node') commands.push(['關掉這個節點', `k3d node stop ${object.name}`], ['打開這個節點', `k3d node start ${object.name}`]);
    for (const [label, command] of commands) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'quiet';
      button.textContent = label;
      button.title = command;
      button.addEventListener('click', () => this.#run(command));
      row.append(button, ' ');
    }
    return row;
  }

  #obstacle(obstacle: Obstacle): HTMLElement {
    const item = document.createElement('li');
    item.append(obstacle.text);
    if (obstacle.evidence !== '') item.append(code(obstacle.evidence));
    this.#doc(item, obstacle.doc);
    return item;
  }

  #link(link: ExplanationLink): HTMLElement {
    const item = document.createElement('li');
    const who = document.createElement('span');
    who.className = 'who';
    const kind = link.object.resource.split('/').at(-1) ?? '';
    who.textContent = `${clockText(link.atMs - this.#startMs())}　${link.actor} ${VERBS[link.verb]} ${kind}/${link.object.name}`;
    item.append(who, link.text);
    if (link.command) item.append(code(`$ ${link.command}`));
    this.#doc(item, link.doc);
    return item;
  }

  #doc(item: HTMLElement, url: string | undefined): void {
    if (!url?.startsWith('https://')) return;
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.textContent = '官方文件';
    anchor.rel = 'noreferrer';
    item.append(' ', anchor);
  }
}

function paragraph(text: string): HTMLElement {
  return Object.assign(document.createElement('p'), { textContent: text });
}
function subheading(text: string): HTMLElement {
  return Object.assign(document.createElement('h4'), { textContent: text });
}
function code(text: string): HTMLElement {
  return Object.assign(document.createElement('code'), { textContent: text });
}
function list(tag: 'ul' | 'ol', items: HTMLElement[]): HTMLElement {
  const element = document.createElement(tag);
  element.append(...items);
  return element;
}
