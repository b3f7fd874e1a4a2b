import type { PodView, SessionRequest } from '../lab/protocol.ts';
import type { Explanation, ExplanationLink, Obstacle, Trace, TraceStep } from '../lab/why/types.ts';
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
  events: { resource: 'v1/events', word: 'event' },
};

const VERBS = { created: '建立了', changed: '改了', deleted: '刪除了', asked: '要求' } as const;

interface Options {
  request<T>(request: SessionRequest): Promise<T>;
  run(command: string): void;
  startMs(): number;
  pods(): readonly PodView[];
  /** The moment that is shown; undefined: now. */
  atMs(): number | undefined;
}

type Shown = { resource: string; word: string; namespace: string; name: string };

/** The panel that answers 「為什麼？」 about an object, a field, a name or an error, follows names and requests, and shows YAML. */
export class Details {
  #body: HTMLElement;
  #options: Options;
  #asked = 0;

  constructor(panel: HTMLElement, options: Options) {
    this.#body = find(panel, '[data-details]');
    this.#options = options;
    const form = find<HTMLFormElement>(panel, '[data-ask]');
    const from = find<HTMLSelectElement>(form, '[data-ask-from]');
    const fill = (): void => {
      const chosen = from.value;
      from.replaceChildren(new Option('（不追蹤）', ''), ...options.pods().map((pod) => new Option(pod.name, `${pod.namespace}/${pod.name}`)));
      from.value = chosen;
    };
    from.addEventListener('focus', fill);
    fill();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = find<HTMLInputElement>(form, 'input').value.trim();
      if (text !== '') void this.#text(text, from.value);
    });
    find(form, '[data-ask-last]').addEventListener('click', () => {
      void this.#why({ type: 'why', resource: 'last', namespace: '', name: '' }, '剛才的錯誤');
    });
  }

  /** "pods/default/web-0", as the chart names what was clicked. */
  async show(object: string): Promise<void> {
    const [plural = '', namespace = '', name = ''] = object.split('/');
    const kind = KINDS[plural];
    if (!kind) return;
    await this.#why({ type: 'why', resource: kind.resource, namespace, name }, `${kind.word}/${name}`, { ...kind, namespace, name });
  }

  /** A URL or host:port is a request; with a Pod to start from, a name is followed step by step. */
  async #text(text: string, from: string): Promise<void> {
    const isRequest = /^\w+:\/\//.test(text) || /^[\w.-]+:\d+/.test(text);
    const [namespace = 'default', pod = ''] = from.split('/');
    if (pod !== '' && (isRequest || !text.includes('/'))) {
      const request: SessionRequest = { type: 'trace', what: isRequest ? 'request' : 'dns', namespace, pod, target: text };
      return this.#ask<Trace>(request, (trace) => traceContent(trace));
    }
    if (isRequest) return this.#ask(undefined, () => [paragraph('要追蹤一個要求，先選它從哪個 Pod 送出。')]);
    return this.#why({ type: 'why', resource: 'text', namespace: 'default', name: text }, text);
  }

  #why(request: SessionRequest & { type: 'why' }, title: string, object?: Shown): Promise<void> {
    const atMs = this.#options.atMs();
    return this.#ask<Explanation | undefined>(atMs === undefined ? request : { ...request, atMs }, (answer) =>
      answer ? this.#content(answer, title, object) : [paragraph('剛才的 kubectl 指令沒有出錯。')],
    );
  }

  async #ask<T>(request: SessionRequest | undefined, content: (answer: T) => HTMLElement[]): Promise<void> {
    const asked = ++this.#asked;
    this.#body.replaceChildren(paragraph('在查……'));
    try {
      const answer = request ? await this.#options.request<T>(request) : (undefined as T);
      if (asked === this.#asked) this.#body.replaceChildren(...content(answer));
    } catch (error) {
      if (asked === this.#asked) this.#body.replaceChildren(paragraph(`查不到：${(error as Error).message}`));
    }
  }

  #content(answer: Explanation, title: string, object?: Shown): HTMLElement[] {
    const parts: HTMLElement[] = [];
    const past = this.#options.atMs();
    const when = past === undefined ? '' : `（${clockText(past - this.#options.startMs())} 那一刻）`;
    parts.push(element('h3', `${answer.found || answer.chain[0]?.verb === 'asked' ? title : `${title}（現在沒有）`}${when}`));
    if (object && answer.found) parts.push(...this.#tools(object));
    if (answer.obstacles.length > 0) {
      parts.push(
        element('h4', '卡在哪裡'),
        list(
          'ul',
          answer.obstacles.map((obstacle) => obstacleItem(obstacle)),
        ),
      );
    }
    if (answer.chain.length > 0) {
      parts.push(
        element('h4', '為什麼會這樣：從最近的一步，往回追到你的指令'),
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

  #tools(object: Shown): HTMLElement[] {
    const where = object.namespace === '' || object.namespace === 'default' ? '' : ` -n ${object.namespace}`;
    const row = document.createElement('p');
    const yaml = document.createElement('details');
    const text = code('');
    yaml.append(element('summary', 'YAML'), text);
    yaml.addEventListener('toggle', () => {
      if (!yaml.open) return;
      const { resource, namespace, name } = object;
      const atMs = this.#options.atMs();
      this.#options.request<string>({ type: 'yaml', resource, namespace, name, ...(atMs === undefined ? {} : { atMs }) }).then(
        (found) => (text.textContent = found),
        (error: Error) => (text.textContent = error.message),
      );
    });
    const commands: [string, string][] = [['describe', `kubectl describe ${object.word} ${object.name}${where}`]];
    // Breaking things is part of the course; each way shows its command in the terminal.
    if (object.word === 'pod') commands.push(['刪掉這個 Pod', `kubectl delete pod ${object.name}${where}`]);
    if (object.word === 'node') commands.push(['關掉這個節點', `k3d node stop ${object.name}`], ['打開這個節點', `k3d node start ${object.name}`]);
    for (const [label, command] of commands) {
      const button = element('button', label) as HTMLButtonElement;
      button.type = 'button';
      button.className = 'quiet';
      button.title = command;
      button.addEventListener('click', () => this.#options.run(command));
      row.append(button, ' ');
    }
    return [row, yaml];
  }

  #link(link: ExplanationLink): HTMLElement {
    const item = document.createElement('li');
    const kind = link.object.resource.split('/').at(-1) ?? '';
    const who = element('span', `${clockText(link.atMs - this.#options.startMs())}　${link.actor} ${VERBS[link.verb]} ${kind}/${link.object.name}`);
    who.className = 'who';
    item.append(who, link.text);
    if (link.command) item.append(code(`$ ${link.command}`));
    addDoc(item, link.doc);
    return item;
  }
}

function traceContent({ subject, from, reached, steps }: Trace): HTMLElement[] {
  return [
    element('h3', `${from} → ${subject}`),
    list(
      'ol',
      steps.map((step) => stepItem(step)),
    ),
    paragraph(reached ? '到了。' : '到不了：看第一個打叉的地方。'),
  ];
}

function stepItem(step: TraceStep): HTMLElement {
  const item = obstacleItem(step);
  item.dataset.ok = String(step.ok);
  item.prepend(step.ok ? '✓ ' : '✗ ');
  return item;
}

function obstacleItem(obstacle: Obstacle): HTMLElement {
  const item = document.createElement('li');
  item.append(obstacle.text);
  if (obstacle.evidence !== '') item.append(code(obstacle.evidence));
  addDoc(item, obstacle.doc);
  return item;
}

function addDoc(item: HTMLElement, url: string | undefined): void {
  if (!url?.startsWith('https://')) return;
  const anchor = Object.assign(document.createElement('a'), { href: url, textContent: '官方文件', rel: 'noreferrer' });
  item.append(' ', anchor);
}

function element(tag: string, text: string): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text });
}
function paragraph(text: string): HTMLElement {
  return element('p', text);
}
function code(text: string): HTMLElement {
  return element('code', text);
}
function list(tag: 'ul' | 'ol', items: HTMLElement[]): HTMLElement {
  const made = document.createElement(tag);
  made.append(...items);
  return made;
}
