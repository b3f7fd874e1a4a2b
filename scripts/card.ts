import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { CHROMIUM_ARGUMENTS } from './chromium.ts';

/** Draws public/card.png, what other sites show when a page is linked to: `npm run card`, with a Noto Sans TC at hand. */
const pods = [0, 1, 2]
  .map(
    (ordinal) => `<g transform="translate(${700 + ordinal * 150},300)">
      <circle r="46" fill="${ordinal < 2 ? '#1c4f5d' : '#f8f5ec'}" stroke="#1c4f5d" stroke-width="5" ${ordinal < 2 ? '' : 'stroke-dasharray="10 8"'}/>
      <text y="15" text-anchor="middle" font-family="monospace" font-size="42" font-weight="700" fill="${ordinal < 2 ? '#f8f5ec' : '#1c4f5d'}">${ordinal}</text>
      <path d="M0 ${ordinal < 2 ? 46 : 60}V110" stroke="#14283c" stroke-width="3"/><rect x="-20" y="110" width="40" height="46" rx="5" fill="#f8f5ec" stroke="#14283c" stroke-width="4"/><path d="M-20 126H20" stroke="#14283c" stroke-width="3"/>
      <path d="M${(1 - ordinal) * 150} -150L0 -52" stroke="#a87a1f" stroke-width="4" ${ordinal < 2 ? '' : 'stroke-dasharray="4 10"'}/>
    </g>`,
  )
  .join('');
const grid = Array.from({ length: 31 }, (_, i) => `<path d="M${i * 40} 0V630M0 ${i * 40}H1200"/>`).join('');
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" viewBox="0 0 1200 630" font-family="'Noto Sans TC','Noto Sans CJK TC','PingFang TC',sans-serif">
  <rect width="1200" height="630" fill="#f8f5ec"/><g stroke="#2c6e7f" stroke-opacity=".13" fill="none">${grid}</g>
  <rect x="24" y="24" width="1152" height="582" fill="none" stroke="#14283c" stroke-width="3"/><rect x="34" y="34" width="1132" height="562" fill="none" stroke="#14283c" stroke-width="10" stroke-dasharray="60 60"/>
  <path d="M640 300H1060" stroke="#b9ae93" stroke-width="4"/>${pods}
  <g transform="translate(850,135)"><rect x="-150" y="-28" width="300" height="56" rx="28" fill="#f8f5ec" stroke="#a87a1f" stroke-width="4"/><text y="10" text-anchor="middle" font-size="28" fill="#14283c">Headless Service</text></g>
  <text x="90" y="255" font-size="120" font-weight="700" fill="#14283c">海圖室</text>
  <text x="94" y="330" font-size="34" fill="#14283c">StatefulSet 與 Headless Service</text>
  <text x="94" y="385" font-size="30" fill="#4d5b67">讀一段，跑一次。</text>
  <text x="94" y="430" font-size="30" fill="#4d5b67">叢集就在你的瀏覽器裡。</text>
  <text x="94" y="540" font-size="24" fill="#63460b">Kubernetes v1.36.3 的互動教材</text>
</svg>`;
const executablePath = process.env.CHROMIUM_PATH ?? (existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : undefined);
const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
const page = await browser.newPage({ viewport: { width: 1200, height: 630 } });
await page.setContent(`<style>body{margin:0}</style>${svg}`);
await page.screenshot({ path: 'public/card.png' });
await browser.close();
