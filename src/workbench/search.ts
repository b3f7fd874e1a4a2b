/**
 * Opens the palette: search and everything the page can do. Ctrl-K does, except where it means something else (in the
 * terminal it cuts the rest of the line); F1 does everywhere. The palette itself is fetched when first opened.
 */
export function wireSearch(root: HTMLElement): void {
  const opener = root.querySelector<HTMLButtonElement>('[data-search-open]');
  const dialog = root.querySelector('dialog');
  if (!opener || !dialog) return;
  const toggle = (): void => {
    if (dialog.open) return dialog.close();
    dialog.showModal();
    void import('./palette.ts').then(
      ({ openPalette }) => openPalette(root, dialog),
      () => {
        dialog.querySelector('[data-search-status]')?.replaceChildren('這一部分沒有載到。檢查一下網路，關掉再打開一次。');
      },
    );
  };
  opener.addEventListener('click', toggle);
  addEventListener(
    'keydown',
    (event) => {
      const inText = (event.target as Element).closest?.('.xterm, .cm-editor') && !event.metaKey;
      if (event.key !== 'F1' && (!(event.ctrlKey || event.metaKey) || event.key !== 'k' || inText)) return;
      event.preventDefault();
      event.stopPropagation();
      toggle();
    },
    // Before the terminal, which has a meaning for every key.
    { capture: true },
  );
  opener.disabled = false;
}
