import { defineConfig } from 'vite';

export default defineConfig({
  root: 'page',
  build: { outDir: '../dist', emptyOutDir: true },
  server: {
    // The page and the server have one origin, as they have in production.
    proxy: {
      '/poll': { target: process.env['APER_URL'] ?? 'http://127.0.0.1:4000', ws: true },
    },
  },
});
