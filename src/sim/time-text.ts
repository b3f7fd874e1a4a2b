const DAY_MS = 86_400_000;
const TWO = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/** The day that was last written, and its text with the "T": most instants are on the same day as the one before. */
let day = Number.NaN;
let dayText = '';

/** RFC 3339 in UTC with whole seconds, as metav1.Time is written. `ms` since the epoch. */
export function timeText(ms: number): string {
  const today = Math.floor(ms / DAY_MS);
  if (today !== day) {
    day = today;
    dayText = new Date(today * DAY_MS).toISOString().slice(0, 11);
  }
  const seconds = Math.floor((ms - today * DAY_MS) / 1000);
  return `${dayText}${TWO[Math.floor(seconds / 3600)]}:${TWO[Math.floor(seconds / 60) % 60]}:${TWO[seconds % 60]}Z`;
}
