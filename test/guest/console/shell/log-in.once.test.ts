import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ConsoleFeed } from '../../../../src/guest/console/console-feed.js'
import { logIn } from '../../../../src/guest/console/shell/log-in.js'
import { Stop } from '../../../../src/guest/console/shell/stop.js'
import { rejection } from '../../tiny-vm.js'

/** What a guest says; a number is a wait of so many milliseconds. */
type Said = readonly (string | number)[]

/**
 * Logs in as ada on a console where the user's name is answered as given, a password by a shell, and a shell's line by
 * another login.
 *
 * @returns what was typed, and how it ended
 */
async function logInWhere(afterUser: Said, password?: string) {
  let said = Buffer.alloc(0)
  const typed: string[] = []
  const say = async (all: Said) => {
    for (const one of all) {
      if (typeof one === 'number') await sleep(one)
      else said = Buffer.concat([said, Buffer.from(one)])
    }
  }
  const answers: Record<string, Said> = {
    '\x15\r': ['\r\nbox login: '],
    'ada\r': afterUser,
    [`${password}\r`]: ['\r\n$ '],
  }
  const serial = {
    ...{ start: 0, transcript: async () => '' },
    get size() {
      return said.length
    },
    next: async (from: number, isOver: () => boolean) => {
      while (said.length === from && !isOver()) await sleep(5)
      return said.subarray(from)
    },
    write: async (text: string | Uint8Array) => {
      typed.push(String(text))
      void say(answers[String(text)] ?? ['\r\nbox login: '])
    },
  }
  const stop = new Stop({ timeout: 20_000 })
  const error = await rejection(logIn(new ConsoleFeed(serial), { user: 'ada', password }, stop))
  return { typed: typed.slice(2), error }
}

const aLoop = expect.stringContaining('exec /bin/sh')

test.each<[string, Said]>([
  ['and a shell at once', ['\r\ndefault user: admin, password: admin\r\n$ ']],
  ['and a shell later', ['\r\nThe password: admin\r\n', 1500, '$ ']],
  ['amid others', ['\r\nThe password: admin\r\nWelcome\r\nto the box\r\n', 3500, '$ ']],
])('a greeting that speaks of a password is no question: %s', async (_, greeting) => {
  for (const password of ['secret', undefined]) {
    const { typed, error } = await logInWhere(greeting, password)
    expect(typed).toEqual([aLoop])
    expect(error.message).toContain('its shell has ended')
  }
})

test.each<[string, Said]>([
  ['at the end', ['\r\nPassword: ']],
  ['before another line', ["\r\nada's password: spoken\r\n"]],
  ['before much of a boot', [`\r\nPassword: ${'[  OK  ] Started a service.\r\n'.repeat(9)}`]],
  ['before two', ['\r\nPassword: spoken\r\n', 100, 'again\r\n']],
  [
    'before lines of the kernel',
    ['\r\nPassword for ada: [    1.5] up\r\n[   12.25] again\r\n[   12.5] and again\r\n'],
  ],
])('a question for a password is one, also %s', async (_, question) => {
  const { typed } = await logInWhere(question, 'secret')
  expect(typed).toEqual(['secret\r', aLoop])
})
