import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'

/** The QEMUs to test on, by paths or names: QEMUS=/opt/qemu-10/bin/qemu-system-x86_64,… */
const qemus = (process.env.QEMUS ?? 'qemu-system-x86_64').split(',')

/** A project for each: live states are built for each QEMU version, disk states once for all. */
export default defineConfig({
  test: {
    projects: qemus.map((qemu, index) => ({
      plugins: [vmStates({ qemu })],
      test: { name: `${index + 1} ${basename(qemu)}`, testTimeout: 60_000 },
    })),
  },
})
