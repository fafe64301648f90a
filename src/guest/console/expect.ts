import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import { type Patience, withDeadline } from '../../qemu/deadline.js'
import { checkTimeout } from '../exec/options.js'
import { GuestError } from '../guest-error.js'
import type { ConsoleFeed } from './console-feed.js'
import { ConsoleText } from './console-text.js'

/** Milliseconds: guests boot in less. */
const TIMEOUT = 60_000

/** Characters that are looked at; what came before them is forgotten. */
const MOST = 2 ** 20

/** Characters of what came instead that an error shows. */
const SHOWN = 500

/** What was waited for on a console. */
export interface ConsoleMatch {
  /** What a regular expression's `exec` gives. */
  match: RegExpExecArray
  /** The text between the last match, or the restore, and this one. */
  before: string
}

/** Finds one thing after the other in what comes over a console, as expect does. */
export class Expect {
  readonly #feed: ConsoleFeed
  readonly #text = new ConsoleText()
  #place: number
  #unmatched = ''
  #lastTurn: Promise<unknown> = Promise.resolve()

  constructor(feed: ConsoleFeed) {
    this.#feed = feed
    this.#place = feed.serial.start
  }

  /** Waits for a text, after what was waited for before. See `GuestConsole.waitFor`. */
  async waitFor(
    pattern: RegExp | string,
    { timeout = TIMEOUT, signal }: Patience,
  ): Promise<ConsoleMatch> {
    const regexp = toRegExp(pattern)
    checkTimeout('waitFor.options.timeout', timeout)
    const givenUp = new AbortController()
    const found = this.#lastTurn.then(() => this.#find(regexp, givenUp.signal))
    this.#lastTurn = found.catch(() => {})
    try {
      return await withDeadline(found, `waiting for ${regexp}`, { timeout, signal })
    } catch (error) {
      throw isVmStatesError(error, 'TIMEOUT') ? this.#lateError(regexp, timeout) : error
    } finally {
      givenUp.abort()
    }
  }

  async #find(regexp: RegExp, givenUp: AbortSignal): Promise<ConsoleMatch> {
    for (;;) {
      givenUp.throwIfAborted()
      const match = regexp.exec(this.#unmatched)
      if (match !== null) {
        const before = this.#unmatched.slice(0, match.index)
        this.#unmatched = this.#unmatched.slice(match.index + match[0].length)
        return { match, before }
      }
      const bytes = await this.#feed.next(this.#place, () => givenUp.aborted)
      this.#place += bytes.length
      this.#unmatched = (this.#unmatched + this.#text.add(bytes)).slice(-MOST)
    }
  }

  #lateError(regexp: RegExp, timeout: number): GuestError {
    const came = this.#unmatched
    const instead = came.length > SHOWN ? `…${came.slice(-SHOWN)}` : came
    const what = came === '' ? 'nothing came' : `what came is ${JSON.stringify(instead)}`
    return new GuestError(
      'TIMEOUT',
      `${regexp} did not come over the console within ${timeout} ms: ${what}`,
    )
  }
}

/** Without a memory of its own for where to go on. */
function toRegExp(pattern: RegExp | string): RegExp {
  if (pattern instanceof RegExp) {
    return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  }
  if (typeof pattern === 'string' && pattern !== '') {
    return new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  }
  const right = 'it must be a regular expression or a text'
  throw new VmStatesError('INVALID_VALUE', `waitFor.pattern is ${showValue(pattern)}: ${right}`)
}
