/** Code blocks as they are read, which is not quite as they are compiled. */

import type { MarkdownRenderer } from 'vitepress';

/**
 * A block for rustdoc says how it is to be run (`rust,no_run`), and has lines
 * that only the compiler needs, behind a `#`. Neither is for readers.
 */
export function rustAsItIsRead(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('rust-as-it-is-read', (state) => {
    for (const token of state.tokens) {
      if (token.type === 'fence' && /^rust\b/.test(token.info)) {
        token.info = 'rust';
        token.content = token.content
          .split('\n')
          .filter((line) => line !== '#' && !line.startsWith('# '))
          .join('\n');
      }
    }
  });
}
