import type { GraphBackend, PreparedMachine, StateFiles } from '../backend.js'
import { captureDisks } from '../capture-disks.js'
import { createOverlays } from '../create-overlays.js'

/**
 * Disk states as qcow2 overlays. A machine gets an empty overlay on each writable disk; when it has
 * shut down cleanly, that overlay is the new state.
 */
export const externalBackend: GraphBackend = {
  liveness: 'disk',
  prepare,
  async capture(machine, directory, tree) {
    const disks = await captureDisks(machine, directory, tree)
    return { liveness: 'disk', backend: 'external', disks }
  },
}

async function prepare(
  { disks }: StateFiles,
  _purpose: unknown,
  directory: string,
): Promise<PreparedMachine> {
  return {
    disks: await createOverlays(disks, directory),
    launch: {},
    // The guest boots once it is resumed.
    load: async () => {},
  }
}
