import type { LabFileSet } from '../lab/protocol.ts';
import { find } from './dom.ts';
import { Workbench } from './workbench.ts';

/** Starts the lab of this page once its panel can be seen. */
const root = document.querySelector<HTMLElement>('section[data-lab]');
for (const button of document.querySelectorAll<HTMLElement>('[data-twins]')) {
  button.addEventListener('click', () => {
    void import('./twins.ts').then(({ openTwins }) => openTwins(button));
  });
  button.removeAttribute('disabled');
}
if (root) {
  const files = JSON.parse(find(root, '[data-lab-file]').textContent ?? '') as LabFileSet;
  new Workbench(root, files).start();
}
