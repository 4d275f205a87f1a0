/** Links that VitePress does not look at. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { MarkdownRenderer } from 'vitepress';

export const REPOSITORY = 'https://github.com/aper-rs/aper';

const DOCS = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ROOT = dirname(DOCS);

/**
 * What is beside docs/ is not part of the site: a link to it leads to the
 * repository. One to a file that does not exist is an error.
 */
export function sourcesOnGitHub(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('sources-on-github', (state) => {
    const page: string = state.env.path;
    for (const token of state.tokens.flatMap((token) => token.children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href !== null && /^\.\.?\//.test(href)) {
        token.attrSet('href', outside(page, href) ?? href);
      }
    }
  });
}

function outside(page: string, href: string): string | null {
  const [path = '', anchor] = href.split('#');
  const file = resolve(dirname(page), path);
  if (!relative(DOCS, file).startsWith('..')) {
    return null;
  }
  if (!existsSync(file)) {
    throw new Error(`${relative(ROOT, page)} links to ${href}, which does not exist`);
  }
  const inside = relative(ROOT, file).replaceAll('\\', '/');
  return `${REPOSITORY}/tree/main/${inside}${anchor === undefined ? '' : `#${anchor}`}`;
}

/** Fails when a link leads to a heading that its page does not have. */
export function checkAnchors(site: string): void {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html'))
    .map((file) => ({ file, html: readFileSync(join(site, file), 'utf8') }));
  const anchors = new Map(
    pages.map(({ file, html }) => [
      address(file),
      new Set([...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1])),
    ]),
  );
  const dead: string[] = [];
  for (const { file, html } of pages) {
    for (const [, href = ''] of html.matchAll(/href="([^":]*#[^"]+)"/g)) {
      // Only for its rules: the host is nobody's.
      const target = new URL(href, `http://site${address(file)}`);
      const known = anchors.get(decodeURIComponent(target.pathname));
      if (known !== undefined && !known.has(decodeURIComponent(target.hash.slice(1)))) {
        dead.push(`${file}: ${href}`);
      }
    }
  }
  if (dead.length > 0) {
    throw new Error(`links to headings that do not exist:\n  ${dead.join('\n  ')}`);
  }
}

/** The path under which a file of the site is linked. */
function address(file: string): string {
  const path = `/${file.replaceAll('\\', '/').replace(/\.html$/, '')}`;
  return path.replace(/\/index$/, '/');
}
