import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { image } from '../../../src/images/image.js'
import { machine } from '../../../src/states/definitions/machine.js'
import type { State } from '../../../src/states/definitions/types.js'
import { openMachines } from '../../../src/states/machines/machines-in-hand.js'
import { asJustStarted } from './just-started.js'
import { useStore } from './use-store.js'

const place = useStore()

/** The owner's handle, and authorization by the password, which is empty. */
const OWNER = '40000001'
const PASSWORD = '00000009400000090000000000'
/** One byte of the TPM's memory that lasts. */
const INDEX = '01000001'

const NV_DEFINE_SPACE = `0000012a${OWNER}${PASSWORD}0000000e${INDEX}000b0002000200000001`
const NV_WRITE = `00000137${OWNER}${INDEX}${PASSWORD}0001`
const NV_READ = `0000014e${OWNER}${INDEX}${PASSWORD}00010000`

/** Gives the TPM a command in hexadecimal digits; gives back its answer after the head. */
async function ask(vm: Vm, command: string): Promise<string> {
  const length = (command.length / 2 + 6).toString(16).padStart(8, '0')
  const octal = `8002${length}${command}`.replaceAll(
    /../g,
    (byte) => `\\${Number.parseInt(byte, 16).toString(8).padStart(3, '0')}`,
  )
  const script = `exec 3<>/dev/tpm0; printf '${octal}' >&3; head -c 4096 <&3 | od -An -v -tx1`
  const { stdout } = await vm.exec('/bin/sh', ['-ec', script], { timeout: 60_000 })
  const answer = stdout.replaceAll(/\s/g, '')
  if (answer.slice(12, 20) !== '00000000') throw new Error(`the TPM answers ${answer}`)
  return answer.slice(20)
}

async function write(vm: Vm, byte: string): Promise<void> {
  await ask(vm, `${NV_WRITE}${byte}0000`)
}

/** The byte, which comes after two sizes. */
async function read(vm: Vm): Promise<string> {
  return (await ask(vm, NV_READ)).slice(12, 14)
}

/** The processes of TPMs of this store. */
function tpms(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const isTpm = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('swtpm')
      return isTpm && readlinkSync(`/proc/${pid}/cwd`).startsWith(place.root)
    } catch {
      return false
    }
  })
}

const tiny = machine('tiny', {
  ...{ image: image.tiny(), memory: '256 MiB', network: 'none', tpm: true },
})
const enrolled = tiny.state('enrolled', async (vm) => {
  await ask(vm, NV_DEFINE_SPACE)
  await write(vm, 'aa')
})
const internal = enrolled.state('internal', (vm) => write(vm, 'bb'), { backend: 'internal' })
const forked = internal.live('forked', (vm) => write(vm, 'cc'))
const saved = internal.live('saved', (vm) => write(vm, 'dd'), { backend: 'live' })
const child = forked.state('child', async (vm) => {
  await write(vm, (await read(vm)) === 'cc' ? 'ee' : 'ff')
})

it('states of every backend hold what the TPM of their machine stores', async () => {
  const found: string[] = []
  const states: State[] = [enrolled, internal, forked, saved, child]
  for (const state of states) {
    await using one = await openMachines(state, place.context)
    found.push(await read(one.handle()))
  }
  expect(found).toEqual(['aa', 'bb', 'cc', 'dd', 'ee'])
}, 600_000)

it('each machine has a TPM of its own, which goes back in its process and ends with it', async () => {
  await using one = await openMachines(forked, place.context)
  await using two = await openMachines(forked, place.context)
  await write(one.handle(), '11')
  await write(two.handle(), '22')
  expect([await read(one.handle()), await read(two.handle())]).toEqual(['11', '22'])
  expect(tpms()).toHaveLength(2)
  const { processes } = one
  asJustStarted(processes)
  await one.reset()
  expect(one.processes).toEqual(processes)
  expect([await read(one.handle()), await read(two.handle())]).toEqual(['cc', '22'])
  await one[Symbol.asyncDispose]()
  expect(tpms()).toHaveLength(1)
  process.kill(two.processes[0]?.pid ?? 0, 'SIGKILL')
  await expect.poll(tpms, { timeout: 20_000 }).toEqual([])
}, 300_000)
