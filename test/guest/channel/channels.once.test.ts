import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Vm } from '../../../src/guest/vm.js'
import { bootTiny, rejection, type TinyVm } from '../tiny-vm.js'

const MIB = 2 ** 20

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

let tiny: TinyVm
let vm: Vm

beforeAll(async () => {
  tiny = await bootTiny()
  vm = tiny.vm
})
afterAll(() => tiny?.[Symbol.asyncDispose]())

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

  test('is all there: a line of 100 MiB, bytes, and nothing', async () => {
    let length = 0
    const hash = createHash('sha256')
    const onStdout = (chunk: Buffer) => {
      length += chunk.length
      hash.update(chunk)
    }
    await vm.exec('sh', ['-c', "head -c 104857600 /dev/zero | tr '\\0' x"], { onStdout })
    expect(length).toBe(100 * MIB)
    expect(hash.digest('hex')).toBe(sha256(Buffer.alloc(100 * MIB, 'x')))

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
    const script = 'id -un; echo "$USER|$LOGNAME|$A|$1"; pwd; cat; cat /root/secret || echo denied'
    await vm.writeFile('/root/secret', 'of root', { mode: 0o600 })
    const args = ['-c', script, 'sh', '-n $x']
    const { stdout } = await vm.exec('sh', args, { ...options, stdin: 'in\n' })
    expect(stdout).toBe("nobody\nnobody|nobody|it's|-n $x\n/tmp\nin\ndenied")
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
