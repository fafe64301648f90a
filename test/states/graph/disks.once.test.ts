import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { hashFile } from '../../../src/images/hash-file.js'
import { image } from '../../../src/images/image.js'
import type { Disk } from '../../../src/qemu/machine/launch-options.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import type { AvailableMember } from '../../../src/states/graph/available-state.js'
import { ensure } from '../../../src/states/graph/ensure.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { asJustStarted } from './just-started.js'
import { useStore } from './use-store.js'

const place = useStore()

/** Of a vendor whose variables Linux lets be written more than once. */
const VARIABLE = '/sys/firmware/efi/efivars/Test-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0'

/** Writes to each disk of the machine, and to a variable of its firmware. */
async function write(vm: Vm, text: string): Promise<void> {
  await vm.$`printf '\007\000\000\000%s' ${text} >${VARIABLE}`
  await vm.$`echo ${text} | tee /mark /dev/vdb >/dev/vdc; sync`
}

/** What was written last, as each disk and the variable have it. */
async function read(vm: Vm): Promise<string[]> {
  const { stdout } = await vm.$`
    echo 3 >/proc/sys/vm/drop_caches
    for disk in /mark /dev/vdb /dev/vdc; do head -n 1 $disk; done
    tail -c +5 ${VARIABLE}
  `
  return stdout.split('\n')
}

/** Adds a word to what there is, if every disk and the variable have the same. */
async function add(vm: Vm, word: string): Promise<void> {
  const [text = '', ...others] = await read(vm)
  if (others.some((other) => other !== text)) throw new Error(`not the same: ${text}, ${others}`)
  await write(vm, `${text} ${word}`)
}

const tiny = machine('tiny', {
  image: image.tiny(),
  memory: '256 MiB',
  network: 'none',
  firmware: 'uefi',
  disks: [
    { name: 'data', size: '1 MiB' },
    { name: 'more', size: '1 MiB' },
  ],
  boot: 'cold',
})
const saved = tiny.live('saved', (vm) => write(vm, 'one'), { backend: 'live' })
const forked = saved.live('forked', (vm) => add(vm, 'two'), { backend: 'fork' })
const external = forked.state('external', (vm) => add(vm, 'three'))
const internal = external.state('internal', (vm) => add(vm, 'four'), { backend: 'internal' })

async function disksOf(state: State): Promise<readonly Disk[]> {
  const { members, release } = await ensure(state, place.context)
  await release()
  return (members.vm as AvailableMember).files.disks
}

it('states of every backend hold all disks and the variables of UEFI firmware', async () => {
  const disks = await disksOf(internal)
  expect(disks.map(({ name }) => name)).toEqual(['image', 'data', 'more', 'variables'])
  const raw = join(place.root, 'variables')
  execFileSync('qemu-img', ['convert', '-O', 'raw', disks.at(-1)?.file ?? '', raw])
  expect((await readFile(raw)).includes('one two three four')).toBe(true)
}, 300_000)

it('each machine in a live state has disks and variables of its own', async () => {
  const all = (text: string) => [text, text, text, text]
  const disks = await disksOf(forked)
  const digests = () => Promise.all(disks.map(({ file }) => hashFile(file, undefined)))
  const before = await digests()
  const built = place.built()
  await using one = await openMachines(forked, place.context)
  await using two = await openMachines(forked, place.context)
  expect(await read(one.handle())).toEqual(all('one two'))
  await write(one.handle(), 'here')
  await write(two.handle(), 'there')
  expect(await read(one.handle())).toEqual(all('here'))
  expect(await read(two.handle())).toEqual(all('there'))
  const { processes } = one
  asJustStarted(processes)
  await one.reset()
  expect(one.processes).toEqual(processes)
  expect(await read(one.handle())).toEqual(all('one two'))
  expect(await digests()).toEqual(before)
  // None of them found it damaged, and built it anew.
  expect(place.built()).toEqual(built)
}, 300_000)
