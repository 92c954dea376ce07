/** Times and spans as people say them, in the language of their device. */

const locale = (): string | undefined =>
  typeof navigator === 'undefined' ? undefined : navigator.language;

export function clockTime(at: number): string {
  return new Intl.DateTimeFormat(locale(), { hour: 'numeric', minute: '2-digit' }).format(at);
}

/** 'today at 14:30', 'tomorrow at 9:00', 'Monday, 3 May at 9:00' */
export function dayAndTime(at: number, now: number): string {
  const days = daysBetween(now, at);
  const time = clockTime(at);
  if (days === 0) return `today at ${time}`;
  if (days === 1) return `tomorrow at ${time}`;
  const day = new Intl.DateTimeFormat(locale(), {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
  }).format(at);
  return `${day} at ${time}`;
}

function daysBetween(from: number, to: number): number {
  const start = new Date(from).setHours(0, 0, 0, 0);
  const end = new Date(to).setHours(0, 0, 0, 0);
  return Math.round((end - start) / 86_400_000);
}

/** Whole minutes; 'less than a minute' is said by the caller. */
export function minutesSince(since: number, now: number): number {
  return Math.max(0, Math.floor((now - since) / 60_000));
}

/** '12 min', '1 h 05 min' */
export function span(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** '2:10', '1:02:10' */
export function stopwatch(since: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest.replace(/^0/, '');
}

/** A birth date (YYYY-MM-DD) as a full date, so that day and month are never mixed up. */
export function birthDate(date: string): string {
  const at = new Date(`${date}T12:00:00Z`);
  if (Number.isNaN(at.getTime())) return date;
  return new Intl.DateTimeFormat(locale(), {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(at);
}

/** Years of age on the day of `now`; 0 by a clock from before. */
export function age(date: string, now: number): number {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const today = new Date(now);
  const before =
    today.getMonth() + 1 < month || (today.getMonth() + 1 === month && today.getDate() < day);
  return Math.max(0, today.getFullYear() - year - (before ? 1 : 0));
}
