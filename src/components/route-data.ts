import { getCollection } from 'astro:content';
import { defineRouteMiddleware } from '@astrojs/starlight/route-data';
import workerUrl from '../hosts/worker/main.ts?worker&url';
import type { Prepare } from '../lab/protocol.ts';
import { labNamed } from './labs.ts';

type SidebarEntry = App.Locals['starlightRoute']['sidebar'][number];

/**
 * Starts the lab's worker before styles and scripts are read, so that its cluster boots while the page is being built.
 * src/workbench/connection.ts takes it over.
 */
function earlyLab(prepare: Prepare): string {
  return `{const worker=new Worker(${JSON.stringify(workerUrl)},{type:"module",name:"lab"}),early=self.earlyLab={worker};worker.onerror=(event)=>{event.preventDefault();early.failed=event.message||""};worker.postMessage(${JSON.stringify(prepare)})}`;
}

/** A page with a lab has no table of contents (the lab stands there), and links to lessons know how many steps they have. */
export const onRequest = defineRouteMiddleware(async (context) => {
  const route = context.locals.starlightRoute;
  if (route.entry.data.lab !== undefined) {
    route.toc = undefined;
    const { name, cluster } = labNamed(route.entry.data.lab);
    route.head.unshift({ tag: 'script', content: earlyLab({ kind: 'prepare', seed: name, cluster }) });
  }
  const base = import.meta.env.BASE_URL.replace(/\/?$/, '/');
  const labs = new Map<string, string>(
    (await getCollection('docs')).flatMap((page: { id: string; data: { lab?: string } }) =>
      page.data.lab ? [[`${base}${page.id}/`, page.data.lab] as const] : [],
    ),
  );
  const visit = (entries: readonly SidebarEntry[]): void => {
    for (const entry of entries) {
      if (entry.type === 'group') visit(entry.entries);
      else {
        const lab = labs.get(entry.href);
        if (lab !== undefined) Object.assign(entry.attrs, { 'data-progress-lab': lab, 'data-progress-steps': labNamed(lab).steps.length });
      }
    }
  };
  visit(route.sidebar);

  const { data, id } = route.entry;
  // Where storage is blocked, touching it throws, in Starlight's scripts too: a storage that keeps nothing stands in.
  route.head.unshift({
    tag: 'script',
    content:
      "try{localStorage}catch{Object.defineProperty(window,'localStorage',{value:{getItem:()=>null,removeItem(){},setItem(key){if(key.startsWith('chartroom'))throw new Error('storage is blocked')}}})}",
  });
  for (const [scheme, content] of [
    ['light', '#f8f5ec'],
    ['dark', '#0e1a26'],
  ] as const) {
    route.head.push({ tag: 'meta', attrs: { name: 'theme-color', media: `(prefers-color-scheme: ${scheme})`, content } });
  }
  const card = new URL(`${base}card.png`, context.site).href;
  route.head.push(
    { tag: 'meta', attrs: { property: 'og:image', content: card } },
    { tag: 'meta', attrs: { property: 'og:image:alt', content: '海圖室：一個 Headless Service 指向三個有編號的 Pod，每個 Pod 下面掛著自己的硬碟' } },
    { tag: 'meta', attrs: { name: 'twitter:image', content: card } },
  );
  if (id === '' || id === 'index') {
    const lessons = (await getCollection('docs')).filter((page: { id: string }) => page.id.startsWith('lessons/'));
    const course = {
      '@context': 'https://schema.org',
      '@type': 'Course',
      name: '海圖室：StatefulSet 與 Headless Service',
      description: data.description,
      inLanguage: 'zh-TW',
      isAccessibleForFree: true,
      image: card,
      provider: { '@type': 'Organization', name: '海圖室' },
      hasPart: lessons.map((page: { id: string; data: { title: string } }) => ({
        '@type': 'LearningResource',
        name: page.data.title,
        url: new URL(`${base}${page.id}/`, context.site).href,
      })),
    };
    route.head.push({ tag: 'script', attrs: { type: 'application/ld+json' }, content: JSON.stringify(course).replaceAll('<', '\\u003c') });
  }
  if (id.startsWith('lessons/')) {
    const facts = {
      '@context': 'https://schema.org',
      '@type': 'LearningResource',
      name: data.title,
      description: data.description,
      inLanguage: 'zh-TW',
      learningResourceType: 'interactive lesson',
      teaches: data.goals,
      timeRequired: data.minutes === undefined ? undefined : `PT${data.minutes}M`,
      isAccessibleForFree: true,
      isPartOf: { '@type': 'Course', name: '海圖室：StatefulSet 與 Headless Service' },
    };
    route.head.push({ tag: 'script', attrs: { type: 'application/ld+json' }, content: JSON.stringify(facts).replaceAll('<', '\\u003c') });
  }
});
