import { answerStore } from './store.ts';

/** Predictions and checks: choosing shows the verdict at once (check) or after the experiment (predict). */
export function wireQuestions(): void {
  const page = location.pathname;
  for (const question of document.querySelectorAll<HTMLElement>('[data-question]')) {
    const id = question.dataset.questionId ?? '';
    const choices = [...question.querySelectorAll<HTMLElement>('.choice')];
    const status = question.querySelector<HTMLElement>('[data-question-status]');
    const predict = question.dataset.question === 'predict';

    const reveal = (picked: number): void => {
      choices.forEach((choice, index) => {
        const right = choice.dataset.right !== undefined;
        const why = choice.querySelector<HTMLElement>('.why');
        const verdict = choice.querySelector<HTMLElement>('.verdict');
        const told = index === picked || right;
        choice.dataset.verdict = index === picked ? (right ? 'right' : 'wrong') : right && predict ? 'right' : '';
        if (verdict) verdict.textContent = index === picked ? (right ? '✓ 對' : '✗ 再想想') : right && predict ? '✓ 結果' : '';
        if (why) why.hidden = !(index === picked || (predict && told));
      });
      if (status) {
        const right = choices[picked]?.dataset.right !== undefined;
        status.textContent = predict ? (right ? '跟你猜的一樣。' : '跟你猜的不一樣，看看為什麼。') : right ? '答對了。' : '還不是這個，理由寫在選項下面。';
      }
    };
    const note = (): void => {
      if (status) status.textContent = '記下了。執行下一步，看看結果是不是這樣。';
    };

    const kept = answerStore.read(page)[id];
    const picked = (): number => choices.findIndex((choice) => choice.querySelector('input')?.checked);
    const keptInput = kept === undefined ? undefined : choices[kept]?.querySelector('input');
    if (kept !== undefined && keptInput) {
      keptInput.checked = true;
      if (!predict) reveal(kept);
    }
    question.addEventListener('change', () => {
      const index = picked();
      if (index < 0) return;
      answerStore.write(page, id, index);
      const answered =
        question.dataset.after !== undefined &&
        document.querySelector(`section[data-step="${CSS.escape(question.dataset.after)}"]`)?.hasAttribute('data-reached');
      if (predict && question.dataset.after !== undefined && !answered) note();
      else reveal(index);
    });
    if (predict) {
      document.addEventListener('chartroom-step', (event) => {
        const index = picked();
        if ((event as CustomEvent<string>).detail === question.dataset.after && index >= 0) reveal(index);
      });
    }
  }
}
