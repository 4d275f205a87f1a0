/**
 * Light, dark, or what the system says. Each page's head applies the stored
 * choice before the first paint; this is the button that changes it.
 */

const KEY = 'aper-theme';

const themes = ['auto', 'light', 'dark'] as const;

export type Theme = (typeof themes)[number];

/** The visitor's choice. */
export function theme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'light' || chosen === 'dark' ? chosen : 'auto';
}

/** Chooses the next of the three, and remembers it where there is storage. */
export function nextTheme(): Theme {
  const next = themes[(themes.indexOf(theme()) + 1) % themes.length] ?? 'auto';
  if (next === 'auto') {
    delete document.documentElement.dataset['theme'];
  } else {
    document.documentElement.dataset['theme'] = next;
  }
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // No storage: the choice lasts as long as the page.
  }
  return next;
}
