import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GuestProcess } from '../guest-process.js'

/** Milliseconds that QEMU gets to let go of a port. */
const QEMU_TIMEOUT = 30_000
/** The path of a Unix socket has 107 bytes at most. */
const LONGEST_DIRECTORY = 80

let count = 0

/** A virtio-serial port of a running machine, for bytes that flow beside the agent's messages. */
export interface DataPort {
  /** By which the guest finds it in `/sys/class/virtio-ports`. */
  name: string
  /** The host's end. It ends once the port is removed and all was read. */
  socket: Socket
  /** Takes the port out of the machine. Never rejects, and may be called again. */
  remove(): Promise<void>
}

/**
 * Plugs a port into a running machine. It has to be removed before the machine's state is kept.
 *
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`
 */
export async function addDataPort({ qmp, exited }: GuestProcess): Promise<DataPort> {
  const name = `vm-states-data-${count++}`
  const device = `${name}-port`
  const unplug = async () => {
    const deleted = qmp.waitForEvent('DEVICE_DELETED', {
      match: ({ data }) => data.device === device,
      timeout: QEMU_TIMEOUT,
    })
    deleted.catch(() => {})
    await qmp.execute('device_del', { id: device })
    await deleted
  }
  const removeChannel = () => qmp.execute('chardev-remove', { id: name })
  const directory = await privateDirectory()
  const path = join(directory, 's')
  let end: Socket
  try {
    const addr = { type: 'unix', data: { path } }
    // QEMU listens: of connections to Node one in a thousand never came. See decision 160.
    const backend = { type: 'socket', data: { addr, server: true, wait: false } }
    await qmp.execute('chardev-add', { id: name, backend })
    end = await connectTo(path).catch(async (error: unknown) => {
      // Of a QEMU that has ended this is what tells so.
      await removeChannel()
      throw error
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const port = { driver: 'virtserialport', bus: 'serial.0', id: device, chardev: name, name }
    await qmp.execute('device_add', port)
  } catch (error) {
    end.destroy()
    await removeChannel().catch(() => {})
    throw error
  }
  void exited.then(() => end.destroySoon())
  let removing: Promise<void> | undefined
  const remove = () => {
    removing ??= unplug()
      .then(removeChannel)
      .then(
        () => {},
        () => {
          end.destroy()
        },
      )
    return removing
  }
  return { name, socket: end, remove }
}

/** Where nobody else's user finds a socket. */
async function privateDirectory(): Promise<string> {
  const places = [tmpdir(), '/tmp'].filter((path) => path.length <= LONGEST_DIRECTORY)
  return await mkdtemp(join(places[0] as string, 'vms-'))
}

async function connectTo(path: string): Promise<Socket> {
  const end = connect({ path, allowHalfOpen: true })
  await once(end, 'connect')
  end.on('error', () => {})
  return end
}
