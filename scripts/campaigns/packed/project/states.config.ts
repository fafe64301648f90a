import { defineConfig } from 'vitest-vm-states/states'

export default defineConfig({ states: './vm/states.ts' })
