import { expect, type Page } from '@playwright/test';

/** A lesson's lab, driven as a reader does: by keys and buttons. */
export class LabPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(lesson: string): Promise<void> {
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await this.page.goto(`lessons/${lesson}/`);
    await this.ready();
  }

  async ready(): Promise<void> {
    await expect(this.page.locator('section[data-lab]')).toHaveAttribute('data-state', 'ready', { timeout: 30_000 });
    await expect.poll(() => this.screen(), { timeout: 15_000 }).toMatch(/\$ ?\n$/);
  }

  /** Everything in the terminal, wrapped lines joined: by the button that readers have for it. */
  async screen(): Promise<string> {
    await this.page.locator('[data-copy-all]').click();
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }

  /** Fast-forwards until the cluster is quiet. */
  async settle(): Promise<void> {
    const button = this.page.locator('[data-settle]');
    await this.page.locator('[popovertarget="lab-forward"]').click();
    await button.click();
    await expect(button).toBeEnabled({ timeout: 60_000 });
  }

  async speed(value: '0' | '1' | '5' | '60'): Promise<void> {
    await this.page.locator(`input[name="lab-speed"][value="${value}"]`).check({ force: true });
  }

  async focusTerminal(): Promise<void> {
    await this.page.locator('[data-terminal] textarea').focus();
  }

  /**
   * Types a line and Enter; resolves with what it printed once the prompt is back. With `before`, the command goes on by
   * itself (a watch): that is done first, then Ctrl-C.
   */
  async type(line: string, options: { before?: () => Promise<void>; timeoutMs?: number } = {}): Promise<string> {
    const before = await this.screen();
    await this.focusTerminal();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
    if (options.before) {
      await options.before();
      await this.focusTerminal();
      await this.page.keyboard.press('Control+c');
    }
    const prompt = before.trimEnd().split('\n').at(-1) ?? '$';
    let text = '';
    const since = Date.now();
    await expect
      .poll(
        async () => {
          // What takes long in the cluster need not take long here.
          if (Date.now() - since > 8000) await this.speed('60');
          const now = await this.screen();
          // What scrolled out at the top is no longer there to be cut off.
          text = now.startsWith(before.trimEnd()) ? now.slice(before.trimEnd().length) : ` ${now.slice(Math.max(0, now.lastIndexOf(`$ ${line}`) + 2))}`;
          const lines = text.trimEnd().split('\n');
          return lines.length > 1 && lines.at(-1)?.trimEnd() === prompt.trimEnd();
        },
        { timeout: options.timeoutMs ?? 60_000 },
      )
      .toBe(true);
    // The echo of the command may take several rows of the screen.
    const lines = text.trimEnd().split('\n').slice(0, -1);
    // A blank at the end of a row is not kept: each row may be one short.
    const need = line.replaceAll('\n', '').length;
    let echoed = 0;
    for (let rows = 0; lines.length > 0 && echoed < need - rows; rows++) echoed += lines.shift()?.replace(/^> /, '').trim().length ?? 0;
    return lines.length > 0 ? `${lines.join('\n')}\n` : '';
  }

  async reached(step: string): Promise<boolean> {
    return (await this.page.locator(`section[data-step="${step}"]`).getAttribute('data-reached')) !== null;
  }
}
