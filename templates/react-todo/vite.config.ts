import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The package finds its WebAssembly module beside itself; do not move it.
  optimizeDeps: { exclude: ['aper-document'] },
  server: {
    // The page and the Aper server have one origin, as they should in production.
    proxy: {
      '/document': { target: process.env['APER_URL'] ?? 'http://127.0.0.1:4000', ws: true },
    },
  },
});
