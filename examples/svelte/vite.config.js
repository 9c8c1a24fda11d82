import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  // Vite's development server would move the package away from its WebAssembly.
  optimizeDeps: { exclude: ['@tillgate/checkout'] },
});
