/** The series that this site accompanies. Other days can join: add a day here and its lessons' folder to the sidebar. */
export const series = {
  name: '可能會迷路的航行 - 菜雞的kubernetes學習筆記',
  event: 'iThome 2023 鐵人賽',
  previous: 'Day 17〈Storage〉',
  here: 'Day 18〈StatefulSet 與 Headless Service〉',
  next: 'Day 19〈Ingress & Ingress Controller - 1〉',
};
