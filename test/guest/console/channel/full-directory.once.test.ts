import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Vm } from '../../../../src/guest/vm.js'
import { bootTiny, rejection, type TinyVm } from '../../tiny-vm.js'

const MINUTES = 300_000

let tiny: TinyVm
let vm: Vm

beforeAll(async () => {
  tiny = await bootTiny({ channel: 'console' })
  vm = tiny.vm
  await vm.ready()
}, MINUTES)
afterAll(() => tiny[Symbol.asyncDispose]())

const much = Buffer.alloc(300_000, 'words ')

/** What is told of the file system that the shell keeps its files on. */
async function expectFull(call: Promise<unknown>) {
  const error = await rejection(call)
  expect(error).toMatchObject({ code: 'GUEST_FILE_FAILED' })
  expect(error.message).toMatch(
    /\/dev\/shm\/vms-\S+ in the guest cannot be written: No space left on device/,
  )
}

test(
  'nothing is short without a word where the file system of the shell is full',
  async () => {
    await vm.$`mount -o remount,size=128k /dev/shm`
    await expectFull(vm.writeFile('/root/written', much))
    expect(await vm.exists('/root/written')).toBe(false)
    await expectFull(vm.exec('wc', ['-c'], { stdin: much }))
    await expectFull(vm.exec('true', Array(3).fill('x'.repeat(100_000))))
    await expectFull(vm.exec('sh', ['-c', 'head -c 500000 /dev/zero; exit 0']))
    await expectFull(vm.exec('sh', ['-c', 'head -c 500000 /dev/zero >&2; exit 0']))
    expect((await vm.$`echo on`).stdout).toBe('on')
    await vm.$`mount -o remount,size=64m /dev/shm`
    expect((await vm.exec('wc', ['-c'], { stdin: much })).stdout).toBe('300000')
  },
  MINUTES,
)

test('a shell whose files somebody has removed says so once', async () => {
  const error = await rejection(vm.$`rm -rf /dev/shm/vms-*; echo lost`)
  expect(error).toMatchObject({ code: 'GUEST_FILE_FAILED' })
  expect(error.message).toMatch(/\/dev\/shm\/vms-\S+ in the guest cannot be written/)
  expect((await vm.exec('cat', [], { stdin: 'on' })).stdout).toBe('on')
  await vm.$`rm -rf /dev/shm/vms-*`.catch(() => {})
  expect((await vm.$`echo on`).stdout).toBe('on')
})
