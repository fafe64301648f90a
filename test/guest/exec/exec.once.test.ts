import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { type CommandError, isCommandError } from '../../../src/guest/exec/command-error.js'
import type { CommandResult } from '../../../src/guest/exec/result.js'
import { isVmStatesError } from '../../../src/params/errors.js'
import { bootTiny, rejection, type TinyVm } from '../tiny-vm.js'

describe.each(['agent', 'ssh'] as const)('over %s', (channel) => {
  let tiny: TinyVm
  let vm: TinyVm['vm']

  beforeAll(async () => {
    tiny = await bootTiny({ channel })
    vm = tiny.vm
  })
  afterAll(() => tiny[Symbol.asyncDispose]())

  async function commandError(promise: Promise<unknown>): Promise<CommandError> {
    const error = await rejection(promise)
    if (!isCommandError(error)) throw error
    return error
  }

  async function processes(pattern: string): Promise<string[]> {
    const { stdout } = await vm.exec('ps', ['-o', 'args'])
    return stdout.split('\n').filter((line) => line.includes(pattern))
  }

  describe('a command', () => {
    test('gives its output and exit code', async () => {
      const result = await vm.exec('sh', ['-c', 'echo out; echo err >&2'])
      expect(result).toEqual({
        command: "sh -c 'echo out; echo err >&2'",
        stdout: 'out',
        stderr: 'err',
        exitCode: 0,
        signal: undefined,
        failed: false,
        duration: expect.any(Number),
      })
    })

    test('loses one final newline of its text, and no more', async () => {
      expect((await vm.exec('printf', ['a\\n\\n'])).stdout).toBe('a\n')
      expect((await vm.exec('printf', ['a'])).stdout).toBe('a')
    })

    test('gets every argument as it was given', async () => {
      const args = ['', ' ', "it's", '"', '$HOME', '`id`', '*', 'a\nb', '--', '-n', 'ü€😀', '\\']
      const { stdout } = await vm.exec('printf', ['<%s>', ...args])
      expect(stdout).toBe(args.map((arg) => `<${arg}>`).join(''))
    })

    test('reads what it is given as stdin, and nothing otherwise', async () => {
      expect((await vm.exec('cat', [], { stdin: 'hällo' })).stdout).toBe('hällo')
      expect((await vm.exec('cat')).stdout).toBe('')
      expect((await vm.exec('cat', [], { stdin: '' })).stdout).toBe('')
    })

    test('passes bytes through unchanged', async () => {
      const bytes = Uint8Array.from({ length: 512 }, (_, index) => index % 256)
      const { stdout } = await vm.exec('cat', [], { stdin: bytes, encoding: 'buffer' })
      expectTypeOf(stdout).toEqualTypeOf<Buffer>()
      expect(stdout.equals(bytes)).toBe(true)
    })

    test('reads megabytes of stdin', async () => {
      const { stdout } = await vm.exec('wc', ['-c'], { stdin: Buffer.alloc(6 * 2 ** 20) })
      expect(stdout.trim()).toBe(String(6 * 2 ** 20))
    })

    test('has variables on top of the environment of the agent', async () => {
      const env = { GREETING: "it's $HOME", LINES: 'a\nb', EMPTY: '' }
      const script = 'printf "%s|%s|%s|" "$GREETING" "$LINES" "$EMPTY"; echo "$PATH"'
      const { stdout } = await vm.exec('sh', ['-c', script], { env })
      const { stdout: path } = await vm.exec('sh', ['-c', 'echo "$PATH"'])
      expect(path).toContain('/bin')
      expect(stdout).toBe(`it's $HOME|a\nb||${path}`)
    })

    test('runs in its working directory', async () => {
      const { stdout } = await vm.exec('pwd', [], { cwd: '/tmp', env: { A: '1' } })
      expect(stdout).toBe('/tmp')
    })

    test('runs beside others: they do not wait for each other', async () => {
      const names = ['0', '1', '2', '3', '4']
      const script = `touch /tmp/beside-$1
        until [ "$(ls /tmp/beside-* | wc -l)" -eq ${names.length} ]; do sleep 0.1; done; echo $1`
      const outputs = names.map(async (name) => {
        const running = vm.exec('sh', ['-c', script, 'sh', name], { timeout: 60_000 })
        return (await running).stdout
      })
      expect(await Promise.all(outputs)).toEqual(names)
    })
  })

  test('answers of many calls at once are never mixed up', async () => {
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const path = `/tmp/file-${index}`
        await vm.writeFile(path, `content ${index}`)
        const [text, result] = await Promise.all([vm.readFile(path), vm.$`cat ${path}; exit 0`])
        expect(text).toBe(`content ${index}`)
        expect(result.stdout).toBe(`content ${index}`)
      }),
    )
  })

  describe('a command that fails', () => {
    test('rejects with all that is known of it', async () => {
      const error = await commandError(vm.exec('sh', ['-c', 'echo out; echo why >&2; exit 3']))
      expect(error).toMatchObject({
        code: 'GUEST_COMMAND_FAILED',
        command: "sh -c 'echo out; echo why >&2; exit 3'",
        exitCode: 3,
        stdout: 'out',
        stderr: 'why',
        failed: true,
        timedOut: false,
        isCanceled: false,
        shortMessage: "Command failed with exit code 3: sh -c 'echo out; echo why >&2; exit 3'",
      })
      expect(error.message).toContain('stderr:\nwhy')
      expect(error.message).toContain('stdout:\nout')
      expect(error.consoleTail).toContain('vm-states tiny guest ready')
      expect(error.message).toContain('vm-states tiny guest ready')
    })

    test('points to the line that called it', async () => {
      const error = await commandError(vm.exec('false'))
      expect(error.stack?.split('\n').find((line) => line.startsWith('    at'))).toContain(
        'exec.once.test.ts',
      )
    })

    test('is known by a check that crosses realms', async () => {
      const error = await commandError(vm.exec('false'))
      expect(isVmStatesError(error, 'GUEST_COMMAND_FAILED')).toBe(true)
      expect(isCommandError(new Error('another'))).toBe(false)
    })

    test('resolves when asked not to reject', async () => {
      const result = await vm.exec('sh', ['-c', 'exit 7'], { reject: false })
      expectTypeOf(result).toEqualTypeOf<CommandResult>()
      expect(result).toMatchObject({ exitCode: 7, failed: true })
    })

    test('names the signal that ended it', async () => {
      const error = await commandError(vm.exec('sh', ['-c', 'kill -TERM $$']))
      expect(error).toMatchObject({ exitCode: undefined, signal: 'SIGTERM' })
      expect(error.shortMessage).toMatch(/^Command failed by SIGTERM: /)
    })

    test('that cannot be found or executed ends as in a shell', async () => {
      expect(await commandError(vm.exec('no-such-program'))).toMatchObject({
        exitCode: 127,
        stderr: expect.stringMatching(/No such file|not found/),
      })
      expect(await commandError(vm.exec('/etc/passwd'))).toMatchObject({ exitCode: 126 })
      const options = { timeout: 20_000, cwd: '/tmp' }
      expect(await commandError(vm.exec('no-such-program', [], options))).toMatchObject({
        exitCode: 127,
      })
    })

    test('in a directory that is not there says so', async () => {
      const error = await commandError(vm.exec('true', [], { cwd: '/no/such' }))
      expect(error).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('/no/such') })
    })
  })

  describe('output beyond what the agent keeps', () => {
    test('is an error that carries what was kept', async () => {
      const script = 'head -c 17000000 /dev/zero; echo said >&2'
      const error = await commandError(vm.exec('sh', ['-c', script], { encoding: 'buffer' }))
      expect(error.code).toBe('GUEST_OUTPUT_TRUNCATED')
      expect(error.shortMessage).toContain('16 MiB) to stdout')
      expect(error.stdout.length).toBe(16 * 2 ** 20)
      expect(error.stderr.toString()).toBe('said\n')
    })
  })

  describe('a command that is stopped', () => {
    test('is killed with all its children when its time is over', async () => {
      const script = 'echo begun; sleep 4321 & sleep 4321'
      const start = performance.now()
      const error = await commandError(vm.exec('sh', ['-c', script], { timeout: 700 }))
      expect(performance.now() - start).toBeLessThan(2700)
      expect(error).toMatchObject({ code: 'TIMEOUT', timedOut: true, stdout: 'begun' })
      expect(error.shortMessage).toContain('timed out after 700 ms')
      expect(await processes('sleep 4321')).toEqual([])
    })

    test('is killed when its caller cancels it', async () => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const { signal } = controller
      const running = rejection(vm.$({ signal })`echo $$ >/tmp/begun; sleep 5432`)
      await expect.poll(() => processes('sleep 5432'), { timeout: 5000 }).toHaveLength(1)
      controller.abort(reason)
      expect(await running).toMatchObject({ code: 'ABORTED', isCanceled: true, cause: reason })
      expect(await processes('sleep 5432')).toEqual([])
    })

    test('does not begin when it was cancelled before', async () => {
      const signal = AbortSignal.abort()
      const error = await rejection(vm.exec('touch', ['/tmp/never'], { signal }))
      expect(error.code).toBe('ABORTED')
      await expect(vm.readFile('/tmp/never')).rejects.toThrow('No such file')
    })

    test('is killed alone in a guest without setsid', async () => {
      await vm.$`mv /usr/bin/setsid /usr/bin/setsid.away`
      try {
        const error = await rejection(vm.exec('sleep', ['6543'], { timeout: 500 }))
        expect(error.code).toBe('TIMEOUT')
        expect(await processes('sleep 6543')).toEqual([])
      } finally {
        await vm.$`mv /usr/bin/setsid.away /usr/bin/setsid`
      }
    })

    test('keeps its exit code and output when it ends in time', async () => {
      const options = { timeout: 20_000, reject: false, stdin: 'in' }
      const result = await vm.exec('sh', ['-c', 'cat; exit 4'], options)
      expect(result).toMatchObject({ exitCode: 4, stdout: 'in' })
    })
  })

  describe('a call that makes no sense', () => {
    test.each([
      ['no file', () => vm.exec('')],
      ['NUL in an argument', () => vm.exec('echo', ['a\0b'])],
      ['an argument that is not text', () => vm.exec('echo', [1 as unknown as string])],
      ['arguments that are no array', () => vm.exec('echo', 'a' as unknown as string[])],
      ['a relative directory', () => vm.exec('true', [], { cwd: 'tmp' })],
      ['a strange variable', () => vm.exec('true', [], { env: { 'A B': '1' } })],
      ['no time', () => vm.exec('true', [], { timeout: 0 })],
      ['more stdin than fits', () => vm.exec('true', [], { stdin: Buffer.alloc(33 * 2 ** 20) })],
      ['stdin that is a number', () => vm.exec('true', [], { stdin: 5 as unknown as string })],
      ['a misspelt option', () => vm.exec('true', [], { timout: 5 } as object)],
      ['an encoding that there is not', () => vm.exec('true', [], { encoding: 'hex' } as object)],
      ['a controller', () => vm.exec('true', [], { signal: new AbortController() } as object)],
      ['a misspelt option of a script', () => vm.$({ timout: 5 } as object)`true`],
      [
        'a misspelt option of a transfer',
        () => vm.upload('/etc', '/x', { onprogress: 1 } as object),
      ],
      ['progress that is no function', () => vm.download('/x', '/y', { onProgress: 5 } as object)],
      ['a misspelt option of a wait', () => vm.waitForEvent('STOP', { matches: {} } as object)],
      ['an option that a wait has not', () => vm.waitForPort(80, { signal: 1 } as object)],
    ])('is refused: %s', async (_, call) => {
      expect((await rejection(call())).code).toBe('INVALID_VALUE')
    })

    test('is told with what was probably meant', async () => {
      const error = await rejection(vm.exec('true', [], { timout: 5 } as object))
      expect(error.message).toContain('exec.options.timout is 5: did you mean "timeout"?')
      expect(() => vm.$('echo hi' as never)).toThrow('vm.$ was called with "echo hi": it is a tag')
    })
  })
})
