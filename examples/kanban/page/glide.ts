/**
 * Cards glide to their new places instead of jumping there, so that one sees
 * what somebody else has moved, and what has been put right.
 */

const STILL = matchMedia('(prefers-reduced-motion: reduce)');

/** To be called before the board is drawn: looks at it again afterwards. */
export function glide(): void {
  if (STILL.matches) {
    return;
  }
  const before = places();
  queueMicrotask(() => {
    for (const [id, { element, rect }] of places()) {
      const was = before.get(id)?.rect;
      if (was && !element.classList.contains('lifted')) {
        const [dx, dy] = [was.left - rect.left, was.top - rect.top];
        if (Math.abs(dx) + Math.abs(dy) > 1) {
          element.animate(
            { transform: [`translate(${dx}px, ${dy}px)`, 'none'] },
            { duration: 180, easing: 'cubic-bezier(0.2, 0.7, 0.3, 1)' },
          );
        }
      }
    }
  });
}

function places(): Map<string, { element: HTMLElement; rect: DOMRect }> {
  const cards = document.querySelectorAll<HTMLElement>('[data-card]');
  return new Map(
    [...cards].map((element) => [
      element.dataset['card'] ?? '',
      { element, rect: element.getBoundingClientRect() },
    ]),
  );
}
