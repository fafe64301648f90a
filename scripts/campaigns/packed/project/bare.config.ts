import { defineConfig } from 'vitest/config'

/** The tag is the plugin's. */
export default defineConfig({ test: { testTimeout: 60_000, maxWorkers: 2, strictTags: false } })
