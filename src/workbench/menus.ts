/** Menus open under (or above) the button that opens them. */
export function wireMenus(root: HTMLElement): void {
  for (const menu of root.querySelectorAll<HTMLElement>('.lab-menu')) {
    menu.addEventListener('toggle', (event) => {
      if ((event as ToggleEvent).newState !== 'open') return;
      const button = root.querySelector(`[popovertarget="${menu.id}"]`)?.getBoundingClientRect();
      if (!button) return;
      const below = button.bottom + 4;
      menu.style.top = `${below + menu.offsetHeight < innerHeight ? below : button.top - menu.offsetHeight - 4}px`;
      menu.style.left = `${Math.max(8, Math.min(button.left, innerWidth - menu.offsetWidth - 8))}px`;
    });
  }
}
