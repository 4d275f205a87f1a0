/** Times as people read them. */

/** `1:05`, `1:00:05`. A second that has begun counts, so that 0:00 is the end. */
export function clock(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1_000);
  const two = (number: number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes}:${two(seconds % 60)}`;
  }
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `5 min`, `1 h 30 min`, `10 s`. */
export function spoken(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const said = parts.filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`);
  return said.length === 0 ? '0 s' : said.join(' ');
}
