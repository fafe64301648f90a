import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { execa, type ResultPromise } from 'execa'
import { beforeEach, expect, test } from 'vitest'
import { makeProject } from './defined-project.js'
import { BIN, useWorkplace } from './states-command.js'

const place = useWorkplace()

const STATES = `
import { environment, image, machine } from 'vitest-vm-states/states'

const tiny = machine('tiny', { image: image.tiny(), memory: '96 MiB', extraArgs: ['-device', 'VGA'] })
export const warm = tiny.live('warm', (vm) => vm.writeFile('/tmp/warm', 'warm'))
export const lab = environment('lab', { client: warm, server: warm })
`

beforeEach(() => makeProject(place, STATES))

const PATIENCE = 120_000

/** What a process prints, as it comes. */
function listen(stream: Readable | null): {
  until(text: RegExp): Promise<void>
  all: () => string
} {
  let said = ''
  stream?.on('data', (chunk: Buffer) => {
    said += String(chunk)
  })
  const until = (text: RegExp) =>
    expect.poll(() => said, { timeout: 30_000, interval: 10 }).toMatch(text)
  return { until, all: () => said }
}

/** Starts the command in a terminal of its own. */
function inTerminal(args: readonly string[]): ResultPromise {
  const line = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ')
  const env = { HOME: place.path(''), TERM: 'dumb' }
  return execa('script', ['-qfec', line, '/dev/null'], { cwd: place.path(''), env, reject: false })
}

/** What a server on a port says first. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const [said] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return String(said)
}

/** Runs, and leases but for those that the overlay has. */
async function leftovers(): Promise<string[]> {
  const leases = await readdir(place.path('store/leases'))
  const texts = leases.map((name) => readFile(place.path(`store/leases/${name}`), 'utf8'))
  const others = (await Promise.all(texts)).filter((text) => !text.includes('mine.qcow2'))
  return [...(await readdir(place.path('store/runs'))), ...others]
}

test(
  'a state is resumed to run a command, a shell, its console, or until somebody ends it',
  async () => {
    // By a command, which builds the state.
    const script = 'cat /tmp/warm; rm /tmp/warm; echo trouble >&2; exit 7'
    const command = await place.states(['run', 'tiny/warm', '--exec', script])
    expect(command).toMatchObject({ exitCode: 7, stdout: 'warm', stderr: 'trouble' })

    // By a shell, on the changes of nobody else.
    const shell = place.start(['run', 'tiny/warm', '--shell'], {
      input: 'cd /tmp\nls; false\npwd\nexit\n',
    })
    expect(await shell).toMatchObject({ exitCode: 0, stdout: 'warm\n/tmp' })
    expect((await shell).stderr).toContain('[exit code 1]')

    // By the serial console, where Ctrl-C goes to the guest.
    const terminal = inTerminal(['run', 'tiny/warm', '--machine', 'vm'])
    const screen = listen(terminal.stdout)
    await screen.until(/Ctrl-\] ends it/)
    terminal.stdin?.write('echo going; sleep 1000\r')
    await screen.until(/^going/m)
    terminal.stdin?.write('\x03')
    await screen.until(/\^C/)
    // A shell discards what is typed before it has the terminal back.
    const typing = setInterval(() => terminal.stdin?.write('echo still $((40 + 3))\r'), 500)
    await screen.until(/still 43/).finally(() => clearInterval(typing))
    terminal.stdin?.write('\x1d')
    expect((await terminal).exitCode).toBe(0)

    // Without a terminal, until a signal.
    const args = ['run', 'lab', '--machine', 'server', '--forward', 'client:22', '--vnc', '--json']
    const waiting = place.start(args)
    const heard = listen(waiting.stdout)
    await heard.until(/\n/)
    const view = JSON.parse(heard.all())
    expect(view).toMatchObject({
      state: 'lab',
      machines: [{ name: 'client' }, { name: 'server' }],
      forwards: [{ machine: 'client', guestPort: 22, hostPort: expect.any(Number) }],
      displays: [{ machine: 'server', port: expect.any(Number) }],
    })
    expect(await greeting(view.displays[0].port)).toContain('RFB')
    waiting.kill('SIGHUP')
    expect(await waiting).toMatchObject({ exitCode: 0 })
    expect(JSON.parse(heard.all().slice(heard.all().indexOf('\n')))).toEqual({ end: 'interrupted' })

    // Changes are kept where somebody says so, and never in the place of something else.
    const write = ['run', 'tiny/warm', '--exec', 'echo of-the-disk > /root/mine']
    const keep = ['--keep', 'overlay=mine.qcow2']
    expect(await place.states([...write, ...keep])).toMatchObject({ exitCode: 0 })
    expect(await readFile(place.path('mine.qcow2'), 'latin1')).toContain('of-the-disk\n')
    const again = await place.states([...write, ...keep])
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('OUTPUT_EXISTS') })

    await writeFile(place.path('lab-server.qcow2'), 'of somebody')
    const lab = ['run', 'lab', '--exec', 'echo it ran >&2', '--keep', 'overlay=lab.qcow2']
    const refused = await place.states(lab)
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/OUTPUT_EXISTS.*lab-server\.qcow2 exists already/),
    })
    expect(refused.stderr).not.toContain('it ran')

    // Output comes as it is, and a display is that of the machine that was asked for.
    const bytes = ['run', 'tiny/warm', '--exec', "printf '\\377\\000x'"]
    const { stdout: printed } = await execa(process.execPath, [BIN, ...bytes], {
      cwd: place.path(''),
      env: { HOME: place.path(''), XDG_CACHE_HOME: place.path('cache') },
      encoding: 'buffer',
    })
    expect([...printed]).toEqual([255, 0, 120])
    const seen = place.start(['run', 'lab', '--machine', 'client', '--vnc', '5999', '--json'])
    const shown = listen(seen.stdout)
    await shown.until(/\n/)
    expect(JSON.parse(shown.all()).displays).toEqual([{ machine: 'client', port: 5999 }])
    seen.kill('SIGTERM')
    await seen

    // Until the guest ends, and whoever runs it is killed.
    const off = place.states(['run', 'tiny/warm', '--shell'], {
      input: 'poweroff\nsleep 1\nsleep 1\n',
    })
    expect(await off).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('has ended') })
    expect(await leftovers()).toEqual([])
    const killed = place.start(['run', 'tiny/warm'])
    const errors = listen(killed.stderr)
    await errors.until(/Ctrl-C ends it/)
    const pid = Number(/QEMU (\d+)/.exec(errors.all())?.[1])
    killed.kill('SIGKILL')
    await killed
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  },
  PATIENCE,
)

/** Also false for a process that nobody has reaped. */
async function isAlive(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== ''
}
