import { resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { cdromDevice } from '../../qemu/machine/drive-arguments.js'
import type { GuestProcess } from '../guest-process.js'

interface Drive {
  qdev?: string
  inserted?: { 'node-name': string }
}

/** The node of a disc that was put in while the machine ran. */
const NODE = 'inserted-'

/** QEMU has 31 characters for the name of a node. */
let discs = 0

/**
 * Takes the disc out of a CD-ROM, and puts another one in.
 *
 * @param name - of the CD-ROM in the machine's definition
 * @param path - of the disc as a file; nothing is put in without it
 */
export async function changeDisc(
  process: GuestProcess,
  name: string,
  path?: string,
): Promise<void> {
  const { qmp } = process
  const id = cdromDevice(name)
  const drives = (await qmp.execute('query-block')) as Drive[]
  const drive = drives.find(({ qdev }) => qdev === id)
  if (drive === undefined) {
    const names = drives.flatMap(({ qdev = '' }) =>
      qdev.startsWith(cdromDevice('')) ? [qdev.slice(cdromDevice('').length)] : [],
    )
    throw new VmStatesError('INVALID_VALUE', `${process.options.name} has no CD-ROM "${name}"`, {
      hint: names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`,
    })
  }
  process.isAltered = true
  const node = path === undefined ? undefined : await openDisc(process, path)
  await qmp.execute('blockdev-open-tray', { id, force: true })
  if (drive.inserted !== undefined) {
    await qmp.execute('blockdev-remove-medium', { id })
    await qmp.execute('blockdev-del', { 'node-name': drive.inserted['node-name'] })
  }
  if (node === undefined) return
  await qmp.execute('blockdev-insert-medium', { id, 'node-name': node })
  await qmp.execute('blockdev-close-tray', { id })
}

async function openDisc({ qmp }: GuestProcess, path: string): Promise<string> {
  const node = `${NODE}${++discs}`
  const file = { driver: 'file', filename: resolve(path) }
  const disc = { driver: 'raw', 'node-name': node, 'read-only': true, file }
  await qmp.execute('blockdev-add', disc)
  return node
}
