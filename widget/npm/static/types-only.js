// The modules for React, Vue and Svelte have types only.
export {};
