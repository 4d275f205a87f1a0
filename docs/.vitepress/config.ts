/** The documentation site: `cargo xtask docs` builds it into target/docs-site. */

import { defineConfig } from 'vitepress';

import { rustAsItIsRead } from './code.js';
import { checkAnchors, REPOSITORY, sourcesOnGitHub } from './links.js';

export default defineConfig({
  title: 'Aper',
  description: 'Real-time shared state, decided by one state machine',
  lang: 'en',
  // None of its own; without this a browser asks for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  outDir: '../target/docs-site',
  cacheDir: '../target/docs-cache',
  cleanUrls: true,
  // A dead link fails the build: VitePress looks at pages, `checkAnchors` at
  // the headings in them, `sourcesOnGitHub` at what is outside of docs/.
  ignoreDeadLinks: false,
  markdown: {
    config: (markdown) => {
      markdown.use(sourcesOnGitHub);
      markdown.use(rustAsItIsRead);
    },
  },
  buildEnd: (site) => checkAnchors(site.outDir),
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    nav: [
      { text: 'Start', link: '/guide/start-typescript' },
      { text: 'Guide', link: '/guide/transitions' },
      { text: 'API', link: '/guide/api' },
    ],
    sidebar: [
      {
        text: 'Ten minutes',
        items: [
          { text: 'In TypeScript, without Rust', link: '/guide/start-typescript' },
          { text: 'In Rust', link: '/guide/start-rust' },
        ],
      },
      {
        text: 'Guide',
        items: [
          { text: 'Designing transitions', link: '/guide/transitions' },
          { text: 'Recipes', link: '/guide/recipes' },
          { text: 'Front ends in Rust', link: '/guide/rust-front-ends' },
          { text: 'Looking into a session', link: '/guide/inspector' },
          { text: 'API', link: '/guide/api' },
          { text: 'Beside others', link: '/guide/comparison' },
        ],
      },
      {
        text: 'Inside',
        items: [
          { text: 'Architecture', link: '/ARCHITECTURE' },
          { text: 'Protocol', link: '/PROTOCOL' },
          { text: 'Journal', link: '/JOURNAL' },
          { text: 'Testing', link: '/TESTING' },
          { text: 'Performance', link: '/PERFORMANCE' },
        ],
      },
    ],
  },
});
