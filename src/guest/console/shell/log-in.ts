import { randomBytes } from 'node:crypto'
import { monotonic } from '../../../params/clocks.js'
import { VmStatesError } from '../../../params/errors.js'
import { anySchema, optionsSchema, signalSchema } from '../../../params/options.js'
import { parse, showValue } from '../../../params/parse.js'
import type { Patience } from '../../../qemu/deadline.js'
import { checkTimeout } from '../../exec/options.js'
import { GuestError } from '../../guest-error.js'
import type { ConsoleFeed } from '../console-feed.js'
import { Dialog } from './dialog.js'
import type { Encoding } from './encoding.js'
import { becomeLoop, PREPARATION } from './guest-programs.js'
import { ShellSession } from './shell-session.js'
import type { Stop } from './stop.js'

/** Who logs in on a console. */
export interface Credentials {
  /** Not needed where the console has a shell already. */
  user?: string | undefined
  /** Not needed for a user without one. */
  password?: string | undefined
}

/** How to log in on a console. */
export interface LoginOptions extends Credentials, Patience {}

const LOGIN_OPTIONS = optionsSchema({
  user: anySchema,
  password: anySchema,
  timeout: anySchema,
  signal: signalSchema.optional(),
})

/** Milliseconds until a guest has answered a user's name or password. */
const ANSWER = 60_000

/** Milliseconds until who logs in presses Enter, to be asked again: others may have spoken after the prompt. */
const ASKED_AGAIN = 5000

/** Milliseconds until a shell has become ours; what is typed before it looks at its terminal is lost. */
const FIRST_TRY = 3000

/** How bytes travel, and whose shell it is. */
const ASK = 'printf "\\n%s:%s:%s:\\n" $n $m "$(id -un)"'

const PROMPTS = {
  user: /login: ?$/i,
  password: /password[^\n]*: ?$/i,
  shell: /[#$%>] ?$/,
}

/**
 * Enter would be no password, so the question of login(1) and su may be followed by whatever others say; another one by
 * the rest of its line, lines of the kernel, and another line. A greeting may look like that, too.
 */
const AFTER_USER = {
  user: PROMPTS.user,
  shell: PROMPTS.shell,
  password:
    /(?:^|\n)(?:password(?: for \S+)?:|[^\n:]*password[^\n:]*:[^\n]*(?:\n\[ *\d+\.\d+\][^\n]*)*(?:\n[^\n]+)?\n?$)/i,
}

/** Milliseconds until a shell is there after its greeting. */
const GREETED = 3000

/** What a guest says to whom it does not let in. */
const REFUSAL =
  /\b(?:login (?:incorrect|timed out)|permission denied|authentication fail\w+|account \w+ ?(?:expired|locked|disabled))\b/i

/**
 * Checks what a caller wrote.
 *
 * @throws VmStatesError `INVALID_VALUE`
 */
export function checkLogin(options: LoginOptions): void {
  parse(LOGIN_OPTIONS, options, 'login.options')
  const { user, password, timeout } = options
  for (const [name, value] of Object.entries({ user, password })) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would not take as it is
    if (value === undefined || (typeof value === 'string' && !/[\x00-\x1f\x7f]/.test(value)))
      continue
    const shown = name === 'password' ? 'not text' : showValue(value)
    const right = 'it must be text without control characters'
    throw new VmStatesError('INVALID_VALUE', `login.options.${name} is ${shown}: ${right}`)
  }
  checkTimeout('login.options.timeout', timeout)
}

/**
 * Logs in on a console, unless there is a shell already, and makes the shell one that does requests.
 *
 * @throws Stopped; GuestError `GUEST_LOGIN_FAILED`
 */
export async function logIn(
  feed: ConsoleFeed,
  credentials: Credentials,
  stop: Stop,
): Promise<ShellSession> {
  const dialog = new Dialog(feed, stop)
  for (let patience = 1000; ; patience = Math.min(patience * 1.5, 5000)) {
    // Away with what somebody may have begun to type.
    await dialog.say('\x15\r')
    const prompt = await dialog.answer(PROMPTS, patience)
    if (prompt === 'user') await giveUser(dialog, credentials)
    if (prompt === 'user' || prompt === 'shell')
      return await startLoop(feed, dialog, credentials, stop)
  }
}

async function giveUser(dialog: Dialog, { user, password }: Credentials): Promise<void> {
  const hint = 'say who: vm.console.login({ user, password })'
  if (user === undefined) throw failed('it asks for a user, and none was given', hint)
  await dialog.say(`${user}\r`)
  let prompt = await dialog.answer(AFTER_USER, ANSWER)
  if (prompt === 'password' && !PROMPTS.password.test(dialog.heard)) {
    prompt = (await dialog.answer(PROMPTS, GREETED)) ?? 'password'
  }
  if (prompt === 'password') {
    if (password === undefined) {
      throw failed(`it asks for a password of ${user}, and none was given`, hint)
    }
    await dialog.say(`${password}\r`)
    const end = monotonic() + ANSWER
    prompt = await dialog.answer(PROMPTS, ASKED_AGAIN)
    while (prompt === undefined && !REFUSAL.test(dialog.heard) && monotonic() < end) {
      await dialog.add('\r')
      prompt = await dialog.answer(PROMPTS, ASKED_AGAIN)
    }
  }
  if (prompt === 'shell') return
  const refusal = REFUSAL.exec(dialog.heard)?.[0]
  if (prompt === 'user' || refusal !== undefined) {
    throw failed(`it refuses ${user}: ${refusal ?? lineBefore(dialog.heard)}`)
  }
  if (prompt === 'password') throw failed(`it asks ${user} for more: ${dialog.heard.trim()}`)
}

async function startLoop(
  feed: ConsoleFeed,
  dialog: Dialog,
  { user }: Credentials,
  stop: Stop,
): Promise<ShellSession> {
  const nonce = `vms-${randomBytes(4).toString('hex')}`
  const prompts = { user: PROMPTS.user, ours: new RegExp(`${nonce}\\.0\\$ `) }
  for (let patience = FIRST_TRY; ; patience *= 2) {
    await dialog.say(`${becomeLoop(nonce)}\r`)
    const prompt = await dialog.answer(prompts, patience)
    if (prompt === 'user') throw failed(`its shell has ended: ${lineBefore(dialog.heard)}`)
    if (prompt === 'ours') break
  }
  const session = new ShellSession(feed, nonce)
  for (const line of PREPARATION) await session.request(line, stop)
  const said = new RegExp(`${nonce}:(?<encoding>base64|numbers):(?<name>[^\\n:]*):`)
  const { groups } = await session.ask(ASK, said, stop)
  const { encoding, name } = groups as { encoding: Encoding; name: string }
  if (user !== undefined && name !== user) {
    const hint = "log it out before: vm.console.sendLine('exit')"
    throw failed(`it has a shell of ${name} already, and none of ${user}`, hint)
  }
  session.encoding = encoding
  return session
}

function failed(how: string, hint?: string): GuestError {
  return new GuestError('GUEST_LOGIN_FAILED', `nobody could log in on the console: ${how}`, {
    hint,
  })
}

/** What a guest said last before its prompt. */
function lineBefore(text: string): string {
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) => line.trim()).findLast((line) => line !== '') ?? 'it says nothing'
}
