import { defineConfig } from 'vite';

// `npm run dev` shows the UI on the mock (npm run mock) or, with BERTH=https://..., on a running berth.
const api = process.env.BERTH ?? 'http://127.0.0.1:4180';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  server: { proxy: { '/api': { target: api, changeOrigin: true, secure: false, ws: true } } },
  build: {
    outDir: process.env.UI_OUT ?? '../build/web/dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the policy of the page allows no data: scripts or styles
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(@codemirror|@lezer|style-mod|w3c-keyname|crelt|@marijn)/.test(id)) return 'editor';
          if (/node_modules\/@xterm/.test(id)) return 'xterm';
          if (/node_modules\/uplot/.test(id)) return 'uplot';
          if (/node_modules\/@dagrejs/.test(id)) return 'dagre';
          return undefined;
        },
      },
    },
  },
});
