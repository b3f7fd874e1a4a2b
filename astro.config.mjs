import mdx from '@astrojs/mdx';
import starlight from '@astrojs/starlight';
import { defineConfig } from 'astro/config';

/** Where the site will live. Both are for absolute links (sitemap, social cards); the pages work under any address. */
const site = process.env.SITE ?? 'https://chartroom.example';
const base = process.env.BASE_PATH ?? '/';

/** What the lab's worker needs at once is one file: in pieces it would be compressed worse and asked for one by one. */
const needed = new Map();
function atOnce(id, context) {
  if (!needed.has(id)) {
    needed.set(id, false);
    const info = context.getModuleInfo(id);
    needed.set(id, info.isEntry || info.importers.some((importer) => atOnce(importer, context) !== null));
  }
  return needed.get(id) ? 'lab' : null;
}

export default defineConfig({
  site,
  base,
  trailingSlash: 'always',
  // The service worker keeps every page anyway.
  prefetch: false,
  integrations: [
    starlight({
      title: '海圖室',
      description: 'Kubernetes StatefulSet 與 Headless Service 的互動教材：邊讀邊操作瀏覽器裡的叢集。',
      locales: { root: { label: '正體中文（台灣）', lang: 'zh-TW' } },
      // Our own search (src/components/Search.astro): Pagefind cannot be relied on for Chinese words.
      pagefind: false,
      favicon: '/favicon.svg',
      customCss: ['./src/styles/theme.css', './src/styles/lesson.css'],
      components: {
        PageFrame: './src/components/PageFrame.astro',
        PageTitle: './src/components/PageTitle.astro',
        SiteTitle: './src/components/SiteTitle.astro',
        TwoColumnContent: './src/components/TwoColumnContent.astro',
        Footer: './src/components/Footer.astro',
        Hero: './src/components/Hero.astro',
        Search: './src/components/Search.astro',
      },
      routeMiddleware: './src/components/route-data.ts',
      expressiveCode: {
        themes: ['github-light', 'github-dark'],
        styleOverrides: {
          borderRadius: '0.25rem',
          codeFontFamily: 'var(--mono)',
          codeFontSize: '0.8125rem',
          codeLineHeight: '1.6',
          frames: { shadowColor: 'transparent' },
        },
      },
      sidebar: [
        {
          label: 'Day 18　StatefulSet 與 Headless Service',
          items: [{ autogenerate: { directory: 'content/lessons' } }],
        },
        { label: '手邊的參考', items: [{ autogenerate: { directory: 'content/reference' } }] },
      ],
      tableOfContents: { minHeadingLevel: 2, maxHeadingLevel: 3 },
    }),
    mdx(),
  ],
  vite: {
    build: { target: 'es2023' },
    worker: { format: 'es', rolldownOptions: { output: { codeSplitting: { groups: [{ name: atOnce, debugName: 'lab' }] } } } },
  },
});
