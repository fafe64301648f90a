import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ConsoleLink } from '../../../../src/guest/console/channel/console-link.js'
import type { CommandError } from '../../../../src/guest/exec/command-error.js'
import type { Vm } from '../../../../src/guest/vm.js'
import { VmControl } from '../../../../src/guest/vm-control.js'
import { launchBare } from '../../../qemu/machine/bare-machine.js'
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

const processes = async (pattern: string) =>
  (await vm.$`ps -o args`).stdout.split('\n').filter((line) => line.startsWith(pattern))

test('nothing goes through the agent', async () => {
  await vm.$`sed -i /agent/d /etc/inittab; kill -HUP 1; sleep 0.5; killall qemu-ga`
  expect(await processes('qemu-ga')).toEqual([])
})

test('a command gives its output, its exit code, and the signal that ended it', async () => {
  const script = 'echo out; echo trouble >&2; exit 3'
  const error = await rejection(vm.exec('sh', ['-c', script]))
  expect(error).toMatchObject({
    ...{ name: 'CommandError', code: 'GUEST_COMMAND_FAILED' },
    ...{ exitCode: 3, signal: undefined, stdout: 'out', stderr: 'trouble' },
  })
  const killed = await vm.exec('sh', ['-c', 'kill -9 $$'], { reject: false })
  expect(killed).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' })
  const stopped = '(sleep 1; kill -CONT $$) & kill -STOP $$; echo done; exit 3'
  expect(await vm.exec('sh', ['-c', stopped], { reject: false })).toMatchObject({
    ...{ exitCode: 3, signal: undefined, stdout: 'done' },
  })
  const missing = await vm.exec('no-such-program', [], { reject: false })
  expect(missing).toMatchObject({ exitCode: 127, stderr: expect.stringContaining('not found') })
})

test('arguments, input, variables, a directory and a user reach it, whatever they hold', async () => {
  const argument = `it's $x \\n ü😀 100%\n\t\x01"*`.repeat(20)
  const options = { user: 'nobody', cwd: '/tmp', env: { A: "it's" }, stdin: 'in\n' }
  const script = 'id -un; echo "$A"; pwd; cat; printf "%s|" "$1"'
  const { stdout } = await vm.exec('sh', ['-c', script, 'sh', argument], options)
  expect(stdout).toBe(`nobody\nit's\n/tmp\nin\n${argument}|`)
  expect((await vm.exec('cat')).stdout).toBe('')
})

test('output is all that comes until the last who may print has ended, however it is opened', async () => {
  expect((await vm.$`(sleep 1; echo late) & echo early`).stdout).toBe('early\nlate')
  const script =
    'echo one; echo two >/proc/self/fd/1; echo a >&2; echo b >/proc/self/fd/2; echo three'
  expect(await vm.exec('sh', ['-c', script])).toMatchObject({
    ...{ stdout: 'one\ntwo\nthree', stderr: 'a\nb' },
  })
  const endless = 'echo early; while :; do echo tick; sleep 0.02; done &'
  const error = await rejection(vm.exec('sh', ['-c', endless], { timeout: 3000 }))
  expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  expect((error as CommandError).stdout).toMatch(/^early\ntick\n/)
  const orphan = 'setsid sleep 7654 & exit 3'
  const held = await rejection(vm.exec('sh', ['-c', orphan], { timeout: 3000 }))
  expect(held).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  expect((await vm.$`killall sleep; echo on`).stdout).toBe('on')
}, 60_000)

test('Enter that somebody has pressed, and prompts that come late, are no other shell', async () => {
  await vm.exec('true')
  await vm.console.sendLine()
  await vm.console.sendLine()
  expect((await vm.$`sleep 8; echo done`).stdout).toBe('done')
  expect((await vm.$`sleep 4; echo again`).stdout).toBe('again')
}, 60_000)

test('what is stopped while it is typed is told as any other, and the next command runs', async () => {
  const long = `: ${'x'.repeat(200_000)}`
  const error = await rejection(vm.console.run(long, { timeout: 3000 }))
  expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  const late = await rejection(vm.exec('cat', [], { stdin: Buffer.alloc(200_000), timeout: 3000 }))
  expect(late).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  expect(late.message).not.toContain('does not answer')
  expect((await vm.$`echo on`).stdout).toBe('on')
}, 60_000)

test('the first command of a handle may time out while it runs', async () => {
  const control = new VmControl({ machine: 'tiny', liveness: 'live' })
  control.attach(tiny.process, 'fresh', new ConsoleLink(tiny.process, {}))
  const error = await rejection(control.vm.exec('sleep', ['1000'], { timeout: 8000 }))
  expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  control.release('the test has ended')
}, 60_000)

test('a timeout is one of the clock of the host, not of the test', async () => {
  vi.useFakeTimers()
  try {
    const error = await rejection(vm.exec('sleep', ['1000'], { timeout: 3000 }))
    expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  } finally {
    vi.useRealTimers()
  }
})

test('who takes output as it comes has it all at the end', async () => {
  const chunks: Buffer[] = []
  const onStdout = (chunk: Buffer) => void chunks.push(chunk)
  const binary = randomBytes(20_000)
  const result = await vm.exec('sh', ['-c', 'cat; echo trouble >&2'], { stdin: binary, onStdout })
  expect(Buffer.concat(chunks).equals(binary)).toBe(true)
  expect(result).toMatchObject({ stdout: '', stderr: 'trouble' })
}, 60_000)

test('what is stopped is killed with all that it has started, and the next command runs', async () => {
  const script = 'echo begun; sleep 7654 & sleep 7654'
  const late = await rejection(vm.exec('sh', ['-c', script], { timeout: 3000 }))
  expect(late).toMatchObject({ name: 'CommandError', code: 'TIMEOUT', stdout: 'begun' })
  const stop = new AbortController()
  const running = rejection(vm.exec('sh', ['-c', script], { signal: stop.signal }))
  await sleep(2000)
  stop.abort()
  expect(await running).toMatchObject({ name: 'CommandError', code: 'ABORTED', stdout: 'begun' })
  expect(await processes('sleep 7654')).toEqual([])
})

test('a command that is stopped before its turn never begins', async () => {
  const before = vm.$`sleep 3`
  const late = await rejection(vm.exec('touch', ['/root/begun'], { timeout: 500 }))
  expect(late).toMatchObject({ name: 'CommandError', code: 'TIMEOUT' })
  await before
  expect(await vm.exists('/root/begun')).toBe(false)
})

test('a hundred commands run in a row, and a hundred at once', async () => {
  const names = Array.from({ length: 100 }, (_, index) => String(index))
  for (const name of names) expect((await vm.exec('echo', [name])).stdout).toBe(name)
  const results = await Promise.all(names.map((name) => vm.exec('echo', [name])))
  expect(results.map(({ stdout }) => stdout)).toEqual(names)
}, 300_000)

test('files and folders go there and back', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'vms-console-'))
  try {
    const bytes = randomBytes(30_000)
    await writeFile(join(directory, 'file'), bytes, { mode: 0o640 })
    await vm.upload(join(directory, 'file'), '/root/file')
    expect((await vm.$`stat -c %a:%s /root/file`).stdout).toBe('640:30000')
    await vm.download('/root/file', join(directory, 'back'))
    expect((await readFile(join(directory, 'back'))).equals(bytes)).toBe(true)
  } finally {
    await rm(directory, { recursive: true })
  }
  await vm.writeFile('/root/text', 'words', { mode: 0o600 })
  expect(await vm.readFile('/root/text')).toBe('words')
  const missing = await rejection(vm.readFile('/root/none'))
  expect(missing).toMatchObject({ code: 'GUEST_FILE_FAILED' })
  expect(missing.message).toContain('/root/none in the guest cannot be read: No such file')
}, 120_000)

test('more than a console carries is refused before it is typed or printed', async () => {
  const much = Buffer.alloc(17 * 2 ** 20)
  const directory = await mkdtemp(join(tmpdir(), 'vms-console-'))
  try {
    await writeFile(join(directory, 'much'), much)
    await vm.$`head -c ${much.length} /dev/zero >/root/much`
    for (const call of [
      () => vm.upload(join(directory, 'much'), '/root/other'),
      () => vm.exec('cat', [], { stdin: much }),
      () => vm.download('/root/much', join(directory, 'back')),
      () => vm.$`cat /root/much >&2`,
    ]) {
      const error = await rejection(call())
      expect(error).toMatchObject({ code: 'GUEST_CONSOLE_LIMIT' })
      expect(error.message).toContain('more than the serial console carries (16 MiB)')
    }
    expect(await readdir(directory)).toEqual(['much'])
    expect((await vm.$`ls -A /root; echo end`).stdout).not.toContain('other')
  } finally {
    await rm(directory, { recursive: true })
  }
}, 120_000)

test('the system says and does what it does over the agent', async () => {
  expect(await vm.hostname()).toBe('tiny')
  expect(await vm.ip()).toBe('10.0.2.15')
  await vm.setTime(new Date('2031-05-06T07:08:09Z'))
  expect((await vm.$`date -u +%Y-%m-%dT%H:%M`).stdout).toBe('2031-05-06T07:08')
  await vm.setTime(new Date())
  expect((await rejection(vm.service('none').status())).code).toBe('GUEST_SERVICE_MISSING')
})

test('who runs commands on the console has the same shell, and types beside none', async () => {
  const [{ stdout }, result] = await Promise.all([vm.$`echo one`, vm.console.run('echo two')])
  expect([stdout, result.stdout]).toEqual(['one', 'two'])
  await vm.console.login()
  expect((await vm.$`echo three`).stdout).toBe('three')
})

test('a guest that reboots is ready again', async () => {
  const boot = async () => (await vm.$`cat /proc/sys/kernel/random/boot_id`).stdout
  const before = await boot()
  await vm.reboot({ timeout: 120_000 })
  expect(await boot()).not.toBe(before)
}, 180_000)

test('what waits for its turn when the guest is reset never begins', async () => {
  const running = rejection(vm.exec('sleep', ['1000']))
  const waiting = rejection(vm.exec('touch', ['/root/ran']))
  await sleep(1500)
  await vm.reset()
  for (const call of [running, waiting]) {
    expect(await call).toMatchObject({ code: 'GUEST_REBOOTED' })
  }
  await vm.ready({ timeout: 120_000 })
  expect(await vm.exists('/root/ran')).toBe(false)
}, 180_000)

test('a guest whose shell is lost says so once, and is logged in again', async () => {
  const lost = rejection(vm.$`kill -9 $PPID $(cut -d " " -f 4 /proc/$PPID/stat)`)
  expect(await lost).toMatchObject({ code: 'GUEST_CONSOLE_LOST' })
  expect((await vm.$`id -un`).stdout).toBe('root')
}, 120_000)

test('a guest that has nobody on its console is an error within the deadline that says what is needed', async () => {
  const process = await launchBare()
  const control = new VmControl({ machine: 'bare', liveness: 'live' })
  control.attach(process, 'fresh', new ConsoleLink(process, {}))
  const error = await rejection(control.vm.ready({ timeout: 2000 }))
  expect(error).toMatchObject({ code: 'GUEST_CONSOLE_MISSING' })
  expect(error.message).toContain('within 2000 ms')
  expect(error.message).toContain('console=ttyS0')
})
