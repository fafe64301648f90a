import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findFirmware } from '../../../src/images/firmware/find-firmware.js'
import { temporaryDirectory } from '../../qemu/machine/bare-machine.js'

/** A descriptor of plain UEFI firmware, with changes. */
function descriptor(code: string, changes: object = {}, mapping: object = {}): string {
  return JSON.stringify({
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: code, format: 'raw' },
      'nvram-template': { filename: '/dev/null', format: 'qcow2' },
      ...mapping,
    },
    targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*', 'pc-q35-*'] }],
    features: ['acpi-s3', 'verbose-dynamic'],
    ...changes,
  })
}

/** Directories of descriptors, each with the files by name. */
async function directoriesOf(
  ...directories: Readonly<Record<string, string>>[]
): Promise<string[]> {
  const root = await temporaryDirectory()
  return await Promise.all(
    directories.map(async (files, index) => {
      const directory = join(root, String(index))
      await mkdir(directory)
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
      return directory
    }),
  )
}

test('plain UEFI firmware is found among all that there is, and the first such by name', async () => {
  const machine = (architecture: string, ...machines: string[]) => ({
    targets: [{ architecture, machines }],
  })
  const directories = await directoriesOf({
    '10-signed.json': descriptor('/dev/null', { features: ['secure-boot'] }),
    '11-smm.json': descriptor('/dev/null', { features: ['requires-smm'] }),
    '12-bios.json': descriptor('/dev/null', { 'interface-types': ['bios'] }),
    '13-arm.json': descriptor('/dev/null', machine('aarch64', '*')),
    '14-microvm.json': descriptor('/dev/null', machine('x86_64', 'microvm')),
    '15-memory.json': descriptor('/dev/null', { mapping: { device: 'memory' } }),
    '16-one-file.json': descriptor('/dev/null', {}, { mode: 'combined' }),
    '17-removed.json': descriptor('/nowhere/OVMF_CODE.fd'),
    '18-damaged.json': '{',
    '19-text': descriptor('/dev/full'),
    '30-other.json': descriptor('/dev/full'),
    '20-right.json': descriptor('/dev/zero'),
  })
  const right = {
    code: { file: '/dev/zero', format: 'raw' },
    variables: { file: '/dev/null', format: 'qcow2' },
  }
  for (const machineType of ['q35', 'pc', 'pc-q35-7.2', 'pc-i440fx-7.2']) {
    expect(await findFirmware({ arch: 'x86_64', machineType }, directories)).toEqual(right)
  }
})

test('a descriptor of a more specific directory takes the place of one of its name, or hides it', async () => {
  const directories = await directoriesOf(
    { '10-a.json': descriptor('/dev/null'), '20-b.json': descriptor('/dev/null') },
    { '10-a.json': '', '20-b.json': descriptor('/dev/zero') },
  )
  const { code } = await findFirmware({ arch: 'x86_64', machineType: 'q35' }, [
    ...directories,
    '/nowhere',
  ])
  expect(code.file).toBe('/dev/zero')
})

test('a host without firmware for a machine type is told what to install', async () => {
  await expect(findFirmware({ arch: 'x86_64', machineType: 'microvm' })).rejects.toMatchObject({
    code: 'FIRMWARE_MISSING',
    message: expect.stringContaining('no UEFI firmware for x86_64 machines of the type microvm'),
    hint: expect.stringContaining('apt-get install ovmf'),
  })
})
