import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'

const project = (name: string, options: { qemu?: string }) => ({
  plugins: [vmStates(options)],
  test: { name, testTimeout: 60_000, isolate: false, fileParallelism: false },
})

export default defineConfig({
  test: { projects: [project('usual', {}), project('other', { qemu: './other-qemu' })] },
})
