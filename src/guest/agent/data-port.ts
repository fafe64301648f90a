import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withDeadline } from '../../qemu/deadline.js'
import type { GuestProcess } from '../guest-process.js'

/** Milliseconds that QEMU gets to connect, and to let go of a port. */
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
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`, `TIMEOUT`
 */
export async function addDataPort({ qmp, exited }: GuestProcess): Promise<DataPort> {
  const name = `vm-states-data-${count++}`
  const device = `${name}-port`
  const { socket, listening } = await listen(name)
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
  try {
    const backend = { type: 'socket', data: { addr: listening.address, server: false } }
    await qmp.execute('chardev-add', { id: name, backend })
    const port = { driver: 'virtserialport', bus: 'serial.0', id: device, chardev: name, name }
    await qmp.execute('device_add', port)
  } catch (error) {
    await removeChannel().catch(() => {})
    throw error
  } finally {
    await listening.close()
  }
  const end = await socket
  end.on('error', () => {})
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

/** A socket that nobody but QEMU is to find, and nobody else's user can open. */
async function listen(name: string) {
  const places = [tmpdir(), '/tmp'].filter((path) => path.length <= LONGEST_DIRECTORY)
  const directory = await mkdtemp(join(places[0] as string, 'vms-'))
  const path = join(directory, 's')
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const close = async () => {
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
  const connected = once(server, 'connection') as Promise<[Socket]>
  const socket = withDeadline(connected, `the port ${name}`, { timeout: QEMU_TIMEOUT })
  try {
    server.listen(path)
    await once(server, 'listening')
  } catch (error) {
    await close()
    throw error
  }
  const address = { type: 'unix', data: { path } }
  return { socket: socket.then(([end]) => end), listening: { address, close } }
}
