import type { LabFileSet } from '../lab/protocol.ts';
import { find } from './dom.ts';
import { Workbench } from './workbench.ts';

/** Starts the lab of this page once its panel can be seen. */
const root = document.querySelector<HTMLElement>('section[data-lab]');
if (root) {
  const files = JSON.parse(find(root, '[data-lab-file]').textContent ?? '') as LabFileSet;
  new Workbench(root, files).start();
}
