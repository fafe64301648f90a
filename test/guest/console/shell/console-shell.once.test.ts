import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConsoleFeed } from '../../../../src/guest/console/console-feed.js'
import { ConsoleShell } from '../../../../src/guest/console/shell/console-shell.js'
import { bootTiny, rejection, rewindTiny, type TinyVm } from '../../tiny-vm.js'

const MINUTES = 300_000

let tiny: TinyVm

beforeAll(async () => {
  tiny = await bootTiny()
  await tiny.vm.console.waitFor('# ')
  await tiny.process.qmp.humanMonitor('savevm booted')
})
afterAll(() => tiny[Symbol.asyncDispose]())

/** The machine as it was after its boot, with its shell on the console, and a new handle for it. */
async function rewound() {
  const machine = await rewindTiny(tiny, 'booted')
  return { ...machine, shell: new ConsoleShell(new ConsoleFeed(machine.process.serial)) }
}

test('a script runs over the console, without a login where there is a shell', async () => {
  const { vm } = await rewound()
  const result = await vm.console.run('echo out; echo trouble >&2; exit 3')
  expect(result).toEqual({ stdout: 'out', stderr: 'trouble', exitCode: 3 })
  expect(await vm.console.run('id -un; pwd')).toMatchObject({ stdout: 'root\n/root' })
  expect(await vm.console.run('kill -9 $$')).toMatchObject({ exitCode: 137 })
  expect(await vm.console.run('tty || true')).toMatchObject({ stdout: 'not a tty' })
  expect(await vm.console.run('echo "(\' é"\necho second')).toMatchObject({
    stdout: "(' é\nsecond",
  })
  expect(await vm.console.run('if')).toMatchObject({ exitCode: 2 })
  expect((await rejection(vm.console.run(' '))).code).toBe('INVALID_VALUE')
})

test(
  'one command runs after the other, however many are asked for at once',
  async () => {
    const { vm } = await rewound()
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    const results = await Promise.all(numbers.map((number) => vm.console.run(`echo ${number}`)))
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(numbers)
  },
  MINUTES,
)

test(
  'arguments, input, variables and a directory reach a program, and its output comes back, byte by byte',
  async () => {
    const { shell } = await rewound()
    const all = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 256))
    const args = ["a'b", '', 'x\ny', '$HOME `id` \\', '\x03\x04\x15', 'é', 'long '.repeat(2000)]
    const shown = await shell.exec('printf', ['%s|', ...args])
    expect(shown.stdout.toString()).toBe(args.map((arg) => `${arg}|`).join(''))
    const script = 'cat; printf "%s %s" "$VALUE" "$PWD" >&2'
    const options = { stdin: all, env: { VALUE: "it's\nso" }, cwd: '/usr/bin' }
    const end = await shell.exec('/bin/sh', ['-c', script], options)
    expect(end.stdout.equals(all)).toBe(true)
    expect(end.stderr.toString()).toBe("it's\nso /usr/bin")
    expect((await shell.exec('no-such-program', [])).exitCode).toBe(127)
    expect((await shell.exec('true', [], { cwd: '/nowhere' })).exitCode).toBe(126)
    expect((await shell.exec('cat', [])).stdout).toHaveLength(0)
  },
  MINUTES,
)

test(
  'files go up and down, whatever is in them, and where that cannot be it is said',
  async () => {
    const { shell, vm } = await rewound()
    const bytes = randomBytes(100_000)
    await shell.put('/root/a b', bytes)
    expect((await vm.readFile('/root/a b', 'buffer')).equals(bytes)).toBe(true)
    expect((await shell.get('/root/a b')).equals(bytes)).toBe(true)
    await shell.put('/root/empty', Buffer.alloc(0))
    expect(await shell.get('/root/empty')).toHaveLength(0)
    const missing = await rejection(shell.get('/nowhere'))
    expect(missing.code).toBe('GUEST_FILE_FAILED')
    expect(missing.message).toMatch(
      /\/nowhere in the guest cannot be read: .*(No such file|nonexistent)/i,
    )
    expect((await rejection(shell.put('/no/where', bytes.subarray(0, 9)))).code).toBe(
      'GUEST_FILE_FAILED',
    )
  },
  MINUTES,
)

test(
  'output is exact while the kernel speaks in between',
  async () => {
    const { shell, vm } = await rewound()
    await vm.exec('sh', [
      '-c',
      'for i in $(seq 60); do echo "<1>a message of the kernel" >/dev/kmsg; sleep 0.2; done >/dev/null 2>&1 &',
    ])
    const text = 'line\r\n\t\x1b[1m'.repeat(5000)
    const end = await shell.exec('cat', [], { stdin: text })
    expect(end.stdout.toString()).toBe(text)
    expect(await vm.console.transcript()).toContain('a message of the kernel')
  },
  MINUTES,
)

test(
  'a guest without base64 says its bytes by their numbers',
  async () => {
    const { shell, vm } = await rewound()
    await vm.$`rm -f $(command -v base64); ! command -v base64`.catch(async () => {
      // The shell of busybox has programs of its own.
      await vm.console.sendLine(
        'command() { if [ "$2" = base64 ]; then return 1; fi; }; export -f command',
      )
    })
    const all = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256))
    expect((await shell.exec('cat', [], { stdin: all })).stdout.equals(all)).toBe(true)
  },
  MINUTES,
)

test(
  'what takes too long is killed with all that it started, and the next one runs',
  async () => {
    const { vm } = await rewound()
    await vm.console.login()
    // What ignores Ctrl-C is ended too.
    const script = 'trap "" INT; echo before; sleep 1000 & sleep 1000; echo after'
    const error = await rejection(vm.console.run(script, { timeout: 3000 }))
    expect(error).toMatchObject({ name: 'CommandError', code: 'TIMEOUT', timedOut: true })
    expect(error.message).toContain('Command timed out after 3000 ms')
    expect(String((error as unknown as { stdout: Buffer }).stdout)).toBe('before\n')
    expect((await vm.$`ps -o args`).stdout).not.toContain('sleep 1000')
    expect(await vm.console.run('echo next')).toMatchObject({ stdout: 'next', exitCode: 0 })
  },
  MINUTES,
)

test(
  'what is cancelled is killed, also before its turn has come',
  async () => {
    const { vm } = await rewound()
    await vm.console.login()
    const [running, waiting] = [new AbortController(), new AbortController()]
    const first = rejection(
      vm.console.run('echo up >/root/up; sleep 1000', { signal: running.signal }),
    )
    const second = rejection(vm.console.run('touch /root/second', { signal: waiting.signal }))
    await vm.waitForFile('/root/up')
    waiting.abort()
    expect((await second).code).toBe('ABORTED')
    running.abort()
    expect((await first).code).toBe('ABORTED')
    expect(await vm.console.run('ls /root')).toMatchObject({ stdout: 'up' })
  },
  MINUTES,
)

test(
  'a shell that has ended is told of, and the next call finds another',
  async () => {
    const { vm } = await rewound()
    await vm.console.login()
    const lost = await rejection(vm.console.run('kill -9 $PPID; sleep 1000'))
    expect(lost.code).toBe('GUEST_CONSOLE_LOST')
    expect(lost.message).toContain('there is another shell instead')
    expect(await vm.console.run('echo back')).toMatchObject({ stdout: 'back' })
  },
  MINUTES,
)

test(
  'a login removes what shells have left that are no more, and nothing else',
  async () => {
    const { vm } = await rewound()
    const alive = (await vm.$`sleep 1000 >/dev/null 2>&1 & echo $!`).stdout
    const others = 'vms-abcdef12.99999999'
    const kept = [`vms-abcdef12.${alive}`, others, 'vms-other', 'vms-other.99999999']
    const gone = ['vms-12345678.99999999', '/tmp/vms-12345678.99999999']
    await vm.$({ cwd: '/dev/shm' })`mkdir ${kept} ${gone}; chown nobody ${others}`
    for (let login = 0; login < 3; login++) await vm.console.login()
    const left = await vm.console.run('cd /dev/shm; ls -d /tmp/vms-* vms-*; ls -d /run/vms-*')
    const ours = left.stdout.split('\n').filter((name) => !kept.includes(name))
    expect(left.stdout.split('\n')).toEqual(expect.arrayContaining(kept))
    expect(ours).toEqual([expect.stringMatching(/^vms-[0-9a-f]{8}\.\d+$/)])
    await vm.console.run('kill -9 $PPID').catch(() => {})
    await vm.console.login()
    expect((await vm.console.run(`ls -d /dev/shm/${ours[0]}`)).exitCode).not.toBe(0)
  },
  MINUTES,
)

test(
  'a console that nobody answers on is an error in time',
  async () => {
    const { vm } = await rewound()
    await vm.console.sendLine('exec sleep 1000')
    const error = await rejection(vm.console.login({ timeout: 4000 }))
    expect(error.code).toBe('TIMEOUT')
    expect(error.message).toContain('the login on the console')
    for (const options of [
      { user: 'a\n' },
      { password: 7 as never },
      { timeout: 0 },
      { usr: 'a' } as object,
    ]) {
      expect((await rejection(vm.console.login(options))).code).toBe('INVALID_VALUE')
    }
  },
  MINUTES,
)

test('a machine that ends or is given back ends whoever waits for its shell', async () => {
  const { vm, control } = await rewound()
  await vm.console.login()
  const running = rejection(vm.console.run('sleep 1000'))
  control.release('the test has ended')
  expect((await running).code).toBe('GUEST_RELEASED')
})
