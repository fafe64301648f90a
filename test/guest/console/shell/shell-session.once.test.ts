import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ConsoleFeed } from '../../../../src/guest/console/console-feed.js'
import { ShellSession } from '../../../../src/guest/console/shell/shell-session.js'
import { Stop } from '../../../../src/guest/console/shell/stop.js'

/** Bytes that a serial line carries between two looks at it. */
const PART = 492

/** A session on a console that says something, in parts, once something is typed. */
function sessionThatHears(said: Buffer) {
  let isTyped = false
  const serial = {
    ...{ start: 0, size: 0, transcript: async () => '' },
    next: async (from: number) => {
      await turn()
      return isTyped ? said.subarray(from, from + PART) : Buffer.alloc(0)
    },
    write: async () => {
      isTyped = true
    },
  }
  return new ShellSession(new ConsoleFeed(serial), 'vms-0')
}

test('what comes before the prompt is the answer, whatever parts that comes in', async () => {
  for (let length = PART - 12; length <= PART; length++) {
    const text = 'x'.repeat(length)
    const session = sessionThatHears(Buffer.from(`${text}\nvms-0.1$ and vms-0.1$ `))
    expect(await session.request('w', new Stop({}))).toBe(`${text}\n`)
  }
})

test('much that others write meanwhile costs little, and the end of it is kept', async () => {
  const noise = Buffer.alloc(16 * 2 ** 20, 'a line of the kernel login: x\n')
  const session = sessionThatHears(Buffer.concat([noise, Buffer.from('\nresult\nvms-0.1$ ')]))
  const reply = await session.request('w', new Stop({}))
  expect(reply.length).toBeLessThan(2 ** 21)
  expect(reply.endsWith('\nresult\n')).toBe(true)
}, 60_000)
