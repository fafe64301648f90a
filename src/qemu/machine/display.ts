import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { QmpClient } from '../qmp/client.js'

/** Whether a machine has a graphics card, or whatever else QEMU has a display for. */
async function hasDisplay(qmp: QmpClient): Promise<boolean> {
  try {
    const items = (await qmp.execute('qom-list', { path: '/backend' })) as { name: string }[]
    return items.some(({ name }) => name.startsWith('console['))
  } catch (error) {
    // QEMU has no such list where nothing is in it.
    if (isVmStatesError(error, 'QMP_COMMAND_FAILED')) return false
    throw error
  }
}

/**
 * The port of the loopback that shows a machine's display by VNC.
 *
 * @throws VmStatesError `NO_DISPLAY` for a machine that has none
 */
export async function vncPort(qmp: QmpClient, name: string): Promise<number> {
  if (!(await hasDisplay(qmp))) {
    throw new VmStatesError('NO_DISPLAY', `${name} has no display that VNC could show`, {
      hint: "States with a display are of machines with a graphics card: extraArgs: ['-device', 'VGA'].",
    })
  }
  const { service } = (await qmp.execute('query-vnc')) as { service: string }
  return Number(service)
}
