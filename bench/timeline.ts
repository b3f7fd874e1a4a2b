import type { Page } from '@playwright/test';
import { build } from 'esbuild';

const LANES = 60;
const EVENTS = 10_000;
const FRAMES = 120;

/** Runs in the page: a timeline of many Pods that change all the time, scrolled for some frames. */
const SCRIPT = `
import { Timeline } from './src/workbench/timeline.ts';
import { TimelineLog } from './src/workbench/timeline-log.ts';
globalThis.measureTimeline = async () => {
  const start = 1_000_000, each = ${EVENTS / LANES};
  const pod = (lane, at) => ({ namespace: 'default', name: 'web-' + lane, uid: 'u' + lane, status: at % 2 ? 'Running' : 'Error', ready: at % 2 === 1, readyText: '1/1', restarts: at, deleting: false, claims: [], image: 'nginx' });
  const histories = Array.from({ length: ${LANES} }, (_, lane) => ({ uid: 'u' + lane, states: Array.from({ length: each }, (_, at) => ({ fromMs: start + at * 3_600 + lane * 7, pod: pod(lane, at) })) }));
  const panel = document.querySelector('[data-panel="timeline"]');
  for (const other of document.querySelectorAll('[data-panel]')) other.hidden = other !== panel;
  const old = panel.cloneNode(true);
  panel.replaceWith(old);
  const log = new TimelineLog();
  new Timeline(old, log, { preview() {}, travel() {}, compare() {} });
  log.rebuild(histories, start);
  log.tick(start + 600_000);
  // Drawing it for the first time is no scrolling.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const frames = async (step) => {
    const times = [];
    for (let i = 0; i <= ${FRAMES}; i++) {
      times.push(await new Promise((resolve) => requestAnimationFrame(resolve)));
      step(i);
    }
    const lengths = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
    return { perSecond: (${FRAMES} * 1000) / (times.at(-1) - times[0]), worstMs: lengths.at(-1) };
  };
  return { marks: old.querySelectorAll('svg rect').length, scrolled: await frames((i) => { old.scrollTop = (i * 12) % Math.max(1, old.scrollHeight - old.clientHeight); }) };
};
`;

/** Frames a second while a timeline of 10,000 events is scrolled, on a lab's open page. */
export async function measureTimeline(page: Page): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'iife',
    write: false,
    logLevel: 'error',
  });
  await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
  const { marks, scrolled } = await page.evaluate<{ marks: number; scrolled: { perSecond: number; worstMs: number } }>('measureTimeline()');
  return `timeline of ${marks.toLocaleString('en')} events, scrolled: ${scrolled.perSecond.toFixed(0)} frames/s, worst frame ${scrolled.worstMs.toFixed(0)} ms (aim: 60)`;
}
