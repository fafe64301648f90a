import { assert, constantFrom, property, string, subarray, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findRamWriter, findRamWriterIn } from '../../src/params/ram-writers.js'

const json = (fields: object) => JSON.stringify(fields)

/** Ways to have RAM changed behind the guest, in all of QEMU's spellings. */
const writers: [option: string, value: string][] = [
  ['device', 'virtio-balloon-pci'],
  ['device', 'virtio-balloon'],
  ['device', 'virtio-balloon-pci-non-transitional,id=b'],
  ['device', 'id=b,driver=virtio-balloon-pci'],
  ['device', json({ id: 'b', driver: 'virtio-balloon-pci', 'free-page-reporting': true })],
  ['device', '{"driver":"virtio\\u002dballoon"}'],
  ['device', 'virtio-mem-pci,memdev=m'],
  ['device', 'pc-dimm,memdev=m'],
  ['object', 'memory-backend-file,id=m,size=1G,mem-path=/dev/shm/m,share=on'],
  ['object', 'id=m,qom-type=memory-backend-ram,size=1G'],
  ['object', json({ 'qom-type': 'memory-backend-memfd', id: 'm' })],
  ['machine', 'q35,memory-backend=m'],
  ['M', 'memory-backend=m'],
  ['global', 'virtio-balloon-device.free-page-reporting=on'],
  ['set', 'device.b.free-page-reporting=on'],
  ['mem-path', '/dev/hugepages'],
  ['balloon', 'virtio'],
]

/** Arguments that are nothing of the kind, also where they read so. */
const harmless = [
  ['-device', 'VGA'],
  ['-device', json({ driver: 'virtio-rng-pci', rng: 'virtio-balloon' })],
  ['-device', 'virtio-net-pci,id=virtio-balloon'],
  ['-object', 'rng-random,id=memory-backend-file,filename=/dev/urandom'],
  ['-drive', 'file=/images/virtio-balloon-pci,if=none'],
  ['-name', 'virtio-balloon'],
  ['-m', 'slots=1'],
  ['-no-reboot'],
  ['-smbios', 'type=1,serial=pc-dimm'],
  ['-fw_cfg', 'name=opt/toString,string=-mem-path'],
]

const noise = subarray(harmless).map((args) => args.flat())

describe('findRamWriterIn()', () => {
  test.each([
    ['device_add', { driver: 'virtio-balloon-pci', id: 'b' }],
    ['device_add', { id: 'b', driver: 'virtio-mem-pci' }],
    ['object-add', { 'qom-type': 'memory-backend-ram', id: 'm', size: 1 }],
    ['human-monitor-command', { 'command-line': ' device_add virtio-balloon,id=b' }],
    ['human-monitor-command', { 'command-line': 'object_add memory-backend-ram,id=m,size=1M' }],
  ])('finds what %s brings with %j', (command, args) => {
    expect(findRamWriterIn(command, args)).toBeTypeOf('string')
  })

  test.each([
    ['device_add', { driver: 'virtio-rng-pci' }],
    ['object-add', { 'qom-type': 'rng-builtin', id: 'm' }],
    ['human-monitor-command', { 'command-line': 'info balloon' }],
    ['human-monitor-command', {}],
    ['query-balloon', undefined],
  ])('lets %s pass with %j', (command, args) => {
    expect(findRamWriterIn(command, args)).toBeUndefined()
  })
})

describe('findRamWriter()', () => {
  test('finds what changes RAM among any other arguments, with one dash or two', () => {
    const found = tuple(noise, constantFrom('-', '--'), constantFrom(...writers), noise)
    assert(
      property(found, ([before, dash, [option, value], after]) => {
        const args = [...before, `${dash}${option}`, value, ...after]
        expect(findRamWriter(args)).toEqual({
          index: before.length,
          argument: `${dash}${option} ${value}`,
        })
      }),
    )
  })

  test('finds nothing in what only reads so, whatever is written', () => {
    const isHarmless = (args: readonly string[]) => {
      expect(findRamWriter(args)).toBeUndefined()
    }
    assert(property(noise, isHarmless))
    const anything = tuple(constantFrom('-device', '-object', '-toString', ''), string())
    assert(property(anything, isHarmless))
  })
})
