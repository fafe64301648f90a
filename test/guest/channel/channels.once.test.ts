import { createHash, randomBytes } from 'node:crypto'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { rejection } from '../tiny-vm.js'
import { BootedGuests } from './booted-guests.js'

const MIB = 2 ** 20

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** What is exercised in the same way. */
const GUESTS = [
  { guest: 'tiny', channel: 'agent', megabytes: 100 },
  { guest: 'debian', channel: 'agent', megabytes: 20 },
  { guest: 'tiny', channel: 'ssh', megabytes: 100 },
  { guest: 'debian', channel: 'ssh', megabytes: 20 },
] as const

const guests = new BootedGuests()
afterAll(() => guests.close())

/** Takes output as it comes, and shows what came. */
function collector() {
  const chunks: Buffer[] = []
  return {
    take: (chunk: Buffer) => {
      chunks.push(chunk)
    },
    bytes: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString(),
  }
}

describe.each(GUESTS)('the $guest guest over $channel', ({ guest, channel, megabytes }) => {
  let vm: Vm

  beforeAll(async () => {
    vm = await guests.open(guest, channel)
  }, 1_200_000)

  const processes = async (pattern: string) =>
    (await vm.$`ps -e -o args || ps -o args`).stdout
      .split('\n')
      .filter((line) => line.startsWith(pattern))

  describe('output that is taken as it comes', () => {
    test('arrives while the command runs', async () => {
      const { take: onStdout, text } = collector()
      const running = vm.$({
        onStdout,
      })`echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo second`
      await expect.poll(text, { timeout: 30_000 }).toBe('first\n')
      await vm.$`touch /tmp/go`
      expect(await running).toMatchObject({ stdout: '', exitCode: 0 })
      expect(text()).toBe('first\nsecond\n')
      await vm.$`rm /tmp/go`
    })

    test('is told apart, and the rest is kept', async () => {
      const { take: onStderr, text } = collector()
      const script = 'echo out; echo err >&2; echo again >/proc/self/fd/2; cat; exit 3'
      const result = await vm.exec('sh', ['-c', script], { onStderr, stdin: 'in', reject: false })
      expect(result).toMatchObject({ stdout: 'out\nin', stderr: '', exitCode: 3 })
      expect(text()).toBe('err\nagain\n')
    })

    test('is all there: a long line, bytes, and nothing', async () => {
      const length = megabytes * MIB
      let seen = 0
      const hash = createHash('sha256')
      const onStdout = (chunk: Buffer) => {
        seen += chunk.length
        hash.update(chunk)
      }
      await vm.exec('sh', ['-c', `head -c ${length} /dev/zero | tr '\\0' x`], { onStdout })
      expect(seen).toBe(length)
      expect(hash.digest('hex')).toBe(sha256(Buffer.alloc(length, 'x')))

      const binary = randomBytes(3 * MIB)
      const { take, bytes } = collector()
      await vm.exec('cat', [], { stdin: binary, onStdout: take })
      expect(sha256(bytes())).toBe(sha256(binary))

      const nothing = collector()
      await vm.exec('true', [], { onStdout: nothing.take, onStderr: nothing.take })
      expect(nothing.bytes()).toHaveLength(0)
    }, 600_000)

    test('is there until the command is stopped, which has all of it killed', async () => {
      const { take: onStdout, text } = collector()
      const options = { timeout: 5000, onStdout }
      const script = 'echo begun; sleep 7654 & sleep 7654'
      const error = await rejection(vm.exec('sh', ['-c', script], options))
      expect(error).toMatchObject({ code: 'TIMEOUT' })
      expect(text()).toBe('begun\n')
      expect(await processes('sleep 7654')).toEqual([])
    })

    test('stops the command where whoever takes it throws', async () => {
      const onStdout = () => {
        throw new Error('no more')
      }
      const script = 'while :; do echo y; sleep 0.1; done'
      await expect(vm.exec('sh', ['-c', script], { onStdout })).rejects.toThrow('no more')
      expect(await processes(`sh -c ${script}`)).toEqual([])
    })

    test('comes of a program that waits for all its children, and of those that it leaves', async () => {
      const waits = 'unless (fork) { exit } 1 while wait > 0; print "done\\n"'
      const { take: onStdout, text } = collector()
      for (const options of [{}, { onStdout }]) {
        const running = vm.exec('perl', ['-e', waits], { timeout: 30_000, ...options })
        expect((await running).stdout + text()).toBe(options.onStdout ? 'done\n' : 'done')
      }
      const { stdout } = await vm.$`(sleep 1; echo late) & echo early`
      // dropbear takes a command for ended as soon as its program is.
      const isDropbear = guest === 'tiny' && channel === 'ssh'
      expect(stdout).toBe(isDropbear ? 'early' : 'early\nlate')
    })

    test('says as a shell does that there is no such program', async () => {
      const { take: onStderr, text } = collector()
      const error = await rejection(vm.exec('no-such-program', [], { onStderr }))
      expect(error).toMatchObject({ code: 'GUEST_COMMAND_FAILED', exitCode: 127 })
      expect(text()).toContain('not found')
    })

    test('comes of several commands at once', async () => {
      const outputs = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const { take: onStdout, text } = collector()
          await vm.$({ onStdout })`echo ${index}; sleep 0.5; echo end`
          return text()
        }),
      )
      expect(outputs).toEqual(outputs.map((_, index) => `${index}\nend\n`))
    })
  })

  describe('a command of another user', () => {
    test('has their rights, and what it is given besides', async () => {
      const options = { user: 'nobody', cwd: '/tmp', env: { A: "it's" }, timeout: 60_000 }
      const script =
        'id -un; echo "$USER|$LOGNAME|$A|$1"; pwd; cat; cat /root/secret || echo denied'
      await vm.writeFile('/root/secret', 'of root', { mode: 0o600 })
      const args = ['-c', script, 'sh', '-n $x']
      const { stdout } = await vm.exec('sh', args, { ...options, stdin: 'in\n' })
      expect(stdout).toBe("nobody\nnobody|nobody|it's|-n $x\n/tmp\nin\ndenied")
    })

    test('is changed to before the variables are there, which are for the command', async () => {
      await vm.$`mkdir -p /opt/app; printf '#!/bin/sh\necho own\n' >/opt/app/own; chmod +x /opt/app/own`
      const env = { user: 'root', USER: 'somebody', PATH: '/opt/app:/usr/bin:/bin' }
      const { stdout } = await vm.exec('sh', ['-c', 'id -un; own; echo $user $USER'], {
        ...{ user: 'nobody', env },
      })
      expect(stdout).toBe('nobody\nown\nroot somebody')
      const only = await vm.exec('own', [], { user: 'nobody', env: { PATH: '/opt/app' } })
      expect(only.stdout).toBe('own')
    })

    test('is killed as any other', async () => {
      const options = { user: 'nobody', timeout: 2500 }
      const error = await rejection(vm.exec('sh', ['-c', 'sleep 8765 & sleep 8765'], options))
      expect(error).toMatchObject({ code: 'TIMEOUT' })
      expect(await processes('sleep 8765')).toEqual([])
    })

    test('is streamed as any other, also to a path', async () => {
      const { take: onStdout, text } = collector()
      const script = 'id -un; id -un >/proc/self/fd/1'
      await vm.exec('sh', ['-c', script], { user: 'nobody', onStdout })
      expect(text()).toBe('nobody\nnobody\n')
    })

    test('does not begin where the guest knows no such user', async () => {
      const error = await rejection(vm.exec('true', [], { user: 'stranger' }))
      expect(error).toMatchObject({ exitCode: 126, stderr: 'the guest has no user stranger' })
      const refused = await rejection(vm.exec('true', [], { user: '$(reboot)' }))
      expect(refused).toMatchObject({ code: 'INVALID_VALUE' })
    })
  })
  describe('files and folders', () => {
    let directory: string
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'vms-transfer-'))
    })
    afterAll(() => rm(directory, { recursive: true, force: true }))

    test('of 32 MiB go there and back unchanged, and tell of it', async () => {
      const bytes = randomBytes(32 * MIB)
      await writeFile(join(directory, 'large'), bytes, { mode: 0o640 })
      const told: number[] = []
      const onProgress = (moved: number) => void told.push(moved)
      await vm.upload(join(directory, 'large'), '/root/large', { onProgress })
      expect(told.at(-1)).toBeGreaterThan(bytes.length)
      expect((await vm.$`sha256sum </root/large`).stdout).toContain(sha256(bytes))
      expect((await vm.$`stat -c %a:%u /root/large`).stdout).toBe('640:0')
      await vm.download('/root/large', join(directory, 'back'))
      expect(sha256(await readFile(join(directory, 'back')))).toBe(sha256(bytes))
      expect((await stat(join(directory, 'back'))).mode & 0o777).toBe(0o640)
      await vm.$`rm /root/large`
    }, 600_000)

    test('keep modes, links and odd names, and are added to what is there', async () => {
      const tree = join(directory, "it's a tree")
      await mkdir(join(tree, 'deep/er'), { recursive: true })
      await writeFile(join(tree, 'deep/er/run'), '#!/bin/sh\n', { mode: 0o755 })
      await writeFile(join(tree, 'empty'), '')
      await symlink('/nowhere/at all', join(tree, 'link'))
      await vm.$`rm -rf /root/hard; mkdir /root/hard; echo one >/root/hard/a; ln /root/hard/a /root/hard/b`
      await vm.download('/root/hard', join(directory, 'hard'))
      const [a, b] = await Promise.all(
        ['a', 'b'].map((name) => stat(join(directory, 'hard', name))),
      )
      expect(a?.ino).toBe(b?.ino)
      await vm.$`rm -rf /root/tree; mkdir /root/tree; echo kept >/root/tree/other`
      await vm.upload(tree, '/root/tree/')
      const { stdout } =
        await vm.$`cd /root/tree; stat -c %a deep/er/run; readlink link; cat other; ls -A`
      expect(stdout).toBe('755\n/nowhere/at all\nkept\ndeep\nempty\nlink\nother')
      expect((await vm.$`ls -A /root`).stdout).not.toContain('.vm-states')

      const back = join(directory, 'back tree')
      await vm.download('/root/tree', back)
      expect((await readdir(back)).sort()).toEqual(['deep', 'empty', 'link', 'other'])
      expect(await readlink(join(back, 'link'))).toBe('/nowhere/at all')
      expect((await stat(join(back, 'deep/er/run'))).mode & 0o777).toBe(0o755)
      expect(await readdir(directory)).not.toContainEqual(expect.stringContaining('.vm-states'))
    })

    test('keep what a umask would take away, and add to folders that keep their modes', async () => {
      const open = join(directory, 'open')
      await mkdir(join(open, 'shared'), { recursive: true })
      await writeFile(join(open, 'file'), '')
      await chmod(join(open, 'file'), 0o666)
      await chmod(join(open, 'shared'), 0o777)
      await symlink('/usr', join(open, 'absolute'))
      await symlink('open', join(directory, 'link to open'))
      await vm.$`rm -rf /root/open; mkdir -m 1701 /root/open`
      for (const from of ['open', 'link to open']) {
        await vm.upload(join(directory, from), '/root/open')
        const { stdout } = await vm.$`cd /root/open; stat -c %a . shared file; ls -A`
        expect(stdout).toBe('1701\n777\n666\nabsolute\nfile\nshared')
      }
      await mkdir(join(directory, 'open back'), { mode: 0o701 })
      for (let time = 0; time < 2; time++) {
        await vm.download('/root/open', join(directory, 'open back'))
        const paths = ['.', 'shared', 'file'].map((path) =>
          stat(join(directory, 'open back', path)),
        )
        const modes = (await Promise.all(paths)).map(({ mode }) => mode & 0o777)
        expect(modes).toEqual([0o701, 0o777, 0o666])
        expect(await readlink(join(directory, 'open back/absolute'))).toBe('/usr')
      }
    })

    test('of one name at once are one folder with the content of all', async () => {
      const names = ['a', 'b', 'c']
      for (const name of names) {
        await mkdir(join(directory, `of ${name}`))
        await writeFile(join(directory, `of ${name}`, name), name)
      }
      await vm.$`rm -rf /root/one`
      await Promise.all(names.map((name) => vm.upload(join(directory, `of ${name}`), '/root/one')))
      expect((await vm.$`ls -A /root/one`).stdout).toBe('a\nb\nc')
    })

    test('may be written to while they are read', async () => {
      await vm.$`mkdir -p /root/logs; head -c 4000000 /dev/zero >/root/logs/log; touch /root/writes`
      await vm.$`(while [ -e /root/writes ]; do echo line >>/root/logs/log; done) </dev/null >/dev/null 2>&1 &`
      const downloaded = vm.download('/root/logs', join(directory, 'logs'))
      await downloaded.finally(() => vm.$`rm /root/writes`)
      expect(await readdir(join(directory, 'logs'))).toEqual(['log'])
    })

    test('that are stopped leave nothing', async () => {
      await writeFile(join(directory, 'huge'), '')
      await truncate(join(directory, 'huge'), 2 ** 30)
      const stop = new AbortController()
      const onProgress = (moved: number) => {
        if (moved > MIB) stop.abort()
      }
      const options = { signal: stop.signal, onProgress }
      const error = await rejection(vm.upload(join(directory, 'huge'), '/root/huge', options))
      expect(error).toMatchObject({ code: 'ABORTED' })
      expect((await vm.$`ls -A /root`).stdout).not.toContain('.vm-states')
    })

    test('that cannot be copied are errors that say why, and leave nothing', async () => {
      await writeFile(join(directory, 'file'), 'content')
      const upload = (from: string, to: string) => rejection(vm.upload(join(directory, from), to))
      expect(await upload('none', '/root/x')).toMatchObject({ code: 'HOST_FILE_FAILED' })
      const noParent = await upload('file', '/no/such/x')
      expect(noParent).toMatchObject({ code: 'GUEST_FILE_FAILED' })
      expect(noParent.message).toContain('there is no directory /no/such/')
      expect((await upload('file', '/root')).message).toContain('it is a directory')
      await vm.$`rm -rf /root/pipes; mkdir /root/pipes; mkfifo /root/pipes/pipe`
      const pipe = await rejection(vm.download('/root/pipes', join(directory, 'x')))
      expect(pipe).toMatchObject({ code: 'GUEST_FILE_FAILED' })
      expect(pipe.message).toContain('/root/pipes in the guest cannot be read: pipe is a fifo')
      const all = await rejection(vm.download('/', join(directory, 'x')))
      expect(all.message).toContain('the root directory cannot be copied as a whole')
      const missing = await rejection(vm.download('/root/none', join(directory, 'x')))
      expect(missing).toMatchObject({ code: 'GUEST_FILE_FAILED' })
      expect(missing.message).toContain('/root/none in the guest cannot be read: No such file')
      const nowhere = await rejection(vm.download('/etc', join(directory, 'no/such/x')))
      expect(nowhere).toMatchObject({ code: 'HOST_FILE_FAILED' })
      expect(await readdir(directory)).not.toContain('x')
      const signal = AbortSignal.timeout(1)
      const aborted = rejection(vm.download('/usr', join(directory, 'x'), { signal }))
      expect(await aborted).toMatchObject({ code: 'ABORTED' })
      expect((await vm.$`ls -A /root`).stdout).not.toContain('.vm-states')
    })
  })

  test('a transfer whose host side fails ends with why, as often as it does', async () => {
    await vm.$`head -c 8000000 /dev/urandom >/root/much`
    const failing = () => {
      throw new Error('no more')
    }
    const to = join(tmpdir(), 'vms-no-such-file')
    for (let index = 0; index < 3; index++) {
      const error = await rejection(vm.download('/root/much', to, { onProgress: failing }))
      expect(error.message).toContain('no more')
    }
    await vm.$`rm /root/much`
  }, 300_000)

  test("what the user's shell says at its start is in no output", async () => {
    await vm.$`echo 'echo hello; echo trouble >&2' >/root/.bashrc`
    expect(await vm.exec('echo', ['x'])).toMatchObject({ stdout: 'x', stderr: '' })
    expect(await vm.readFile('/root/.bashrc')).toContain('echo hello')
    await vm.$`rm /root/.bashrc`
  })

  test('a timeout is one of the clock of the host, not of the test', async () => {
    vi.useFakeTimers()
    try {
      const error = await rejection(vm.exec('sleep', ['1000'], { timeout: 3000 }))
      expect(error).toMatchObject({ code: 'TIMEOUT' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('the system says and does the same', async () => {
    expect(await vm.hostname()).toBe(guest)
    expect(await vm.ip()).toBe('10.0.2.15')
    expect(await vm.exists('/etc/passwd')).toBe(true)
    await vm.writeFile('/root/text', 'words', { mode: 0o600 })
    expect(await vm.readFile('/root/text')).toBe('words')
    const missing = await rejection(vm.readFile('/root/none'))
    expect(missing).toMatchObject({ code: 'GUEST_FILE_FAILED' })
    expect(missing.message).toContain('No such file')
    await vm.setTime(new Date('2031-05-06T07:08:09Z'))
    expect((await vm.$`date -u +%Y-%m-%dT%H:%M`).stdout).toBe('2031-05-06T07:08')
    await vm.setTime(new Date())
    expect(await vm.freeze()).toBeGreaterThan(0)
    expect(await vm.thaw()).toBeGreaterThan(0)
    expect((await rejection(vm.service('none').status())).code).toBe('GUEST_SERVICE_MISSING')
  }, 300_000)

  test('the text of a script is run until a command fails', async () => {
    const { stdout } = await vm.shell("a='it is'\necho $a b\n", { env: { b: '1' } })
    expect(stdout).toBe('it is b')
    const error = await rejection(vm.shell('echo one; false; echo two'))
    expect(error).toMatchObject({ exitCode: 1, stdout: 'one' })
  })

  test('an argument may be long, and hold anything', async () => {
    const argument = `it's $x \\n ü😀 100%\n\t\x01"*`.repeat(600)
    const { stdout } = await vm.exec('printf', ['%s|', argument], { stdin: 'unread' })
    expect(stdout).toBe(`${argument}|`)
    const cat = await vm.exec('sh', ['-c', 'cat; printf "%s" "$1"', 'sh', argument], {
      stdin: 'in\n',
    })
    expect(cat.stdout).toBe(`in\n${argument}`)
    const longest = 'x'.repeat(131_071)
    expect((await vm.exec('printf', ['%s', longest])).stdout).toBe(longest)
    const tooLong = { code: 'INVALID_VALUE', message: expect.stringContaining('131071') }
    expect(await rejection(vm.exec('printf', ['%s', `${longest}x`]))).toMatchObject(tooLong)
    expect(await rejection(vm.$`: ${longest}`)).toMatchObject(tooLong)
  })

  test('a hundred commands run in a row, and thirty at once', async () => {
    for (let index = 0; index < 100; index++) {
      expect((await vm.exec('echo', [String(index)])).stdout).toBe(String(index))
    }
    const names = Array.from({ length: 30 }, (_, index) => String(index))
    const results = await Promise.all(names.map((name) => vm.exec('echo', [name])))
    expect(results.map(({ stdout }) => stdout)).toEqual(names)
  }, 600_000)
})
