/** What this person calls themselves, on every page that shows people. */

const KEY = 'aper-whiteboard-name';
const FIRST = ['Quick', 'Calm', 'Bright', 'Brave', 'Merry', 'Gentle', 'Clever', 'Jolly'];
const LAST = ['Otter', 'Heron', 'Fox', 'Badger', 'Finch', 'Hare', 'Lynx', 'Newt'];

/** The name of the last time, or a new one. */
export function rememberedName(): string {
  try {
    return localStorage.getItem(KEY) ?? newName();
  } catch {
    return newName();
  }
}

/** Remembers a name, where there is storage. */
export function rememberName(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {}
}

export function newName(): string {
  const pick = (words: readonly string[]) => words[Math.floor(Math.random() * words.length)];
  return `${pick(FIRST)} ${pick(LAST)}`;
}

/** The colour of a person, by their number: neighbours are far apart. */
export function hue(client: number): number {
  return Math.round((client * 137.508) % 360);
}
