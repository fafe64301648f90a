import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { isHotPlugPort, isPlugged, pluggedId } from '../../qemu/machine/hot-plug-names.js'
import type { GuestProcess } from '../guest-process.js'

const DEVICES = '/machine/peripheral'

const lastTurns = new WeakMap<GuestProcess, Promise<unknown>>()

/** Plugs things into a machine one after the other: between the choice of a name or a port and its use are waits. */
export async function inTurn<T>(process: GuestProcess, work: () => Promise<T>): Promise<T> {
  const turn = (lastTurns.get(process) ?? Promise.resolve()).then(work)
  lastTurns.set(
    process,
    turn.catch(() => {}),
  )
  return await turn
}

/**
 * A name for a device: the one that is wanted, or the first of its kind that none has that came while the machine
 * ran, such as `disk1`.
 *
 * @throws VmStatesError `INVALID_VALUE` if the wanted one is taken
 */
export async function freeName(
  process: GuestProcess,
  kind: string,
  wanted?: string,
): Promise<string> {
  const ids = new Set((await namesIn(process, DEVICES)).filter(isPlugged))
  if (wanted !== undefined) {
    if (!ids.has(pluggedId(wanted))) return wanted
    const text = `${process.options.name} has something attached already that is called "${wanted}"`
    throw new VmStatesError('INVALID_VALUE', text, { hint: 'Choose another name, or none.' })
  }
  let number = 1
  while (ids.has(pluggedId(`${kind}${number}`))) number++
  return `${kind}${number}`
}

/**
 * Plugs a PCI device into a free root port, or, where the machine type has such, into the root bus.
 *
 * @throws VmStatesError `HOT_PLUG_FAILED` if there is none
 */
export async function plugIntoPci(
  process: GuestProcess,
  device: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { qmp, options } = process
  const ports = (await namesIn(process, DEVICES)).filter(isHotPlugPort)
  const port = await firstFree(process, ports)
  const bus = port && { bus: port }
  try {
    await qmp.execute('device_add', { ...device, ...bus })
  } catch (error) {
    const isFull = bus === undefined && isVmStatesError(error, 'QMP_COMMAND_FAILED')
    if (!isFull || !/does not support hotplug|hotplug/.test(error.message)) throw error
    const text = `${options.name} has no free port for another device: ${ports.length} were made`
    const hint = `Give the machine more: hotplugPorts: ${ports.length + 1}.`
    throw new VmStatesError('HOT_PLUG_FAILED', text, { cause: error, hint })
  }
}

/** The first of some ports that has no device. (`query-pci` tells only once the firmware has numbered the buses.) */
async function firstFree(
  process: GuestProcess,
  ports: readonly string[],
): Promise<string | undefined> {
  for (const port of ports) {
    const names = await namesIn(process, `${DEVICES}/${port}/${port}`)
    if (!names.some((name) => name.startsWith('child['))) return port
  }
  return undefined
}

/** The names of what an object of QEMU has. */
async function namesIn({ qmp }: GuestProcess, path: string): Promise<string[]> {
  const properties = (await qmp.execute('qom-list', { path })) as { name: string }[]
  return properties.map(({ name }) => name)
}
