import { monotonic } from '../../../params/clocks.js'
import { GuestError } from '../../guest-error.js'
import type { ConsoleFeed } from '../console-feed.js'
import { ConsoleText } from '../console-text.js'
import type { Encoding } from './encoding.js'
import { ForeignPrompt } from './foreign-prompt.js'
import { promptAfter } from './guest-programs.js'
import { Stop } from './stop.js'
import { UntilPrompt } from './until-prompt.js'

/** Milliseconds until the guest is asked for its prompt again: the kernel may have spoken in it. */
const FIRST_ASK = 2000
const LAST_ASK = 60_000

/** Milliseconds of silence until what came is looked at. */
const LOOK = 1000

/** Milliseconds that a guest gets to kill what runs. */
const GRACE = 5000

/** How often something is asked for again, where the guest's kernel speaks in between each time. */
export const TRIES = 50

const INTERRUPT = '\x03'

/** A shell of a guest's that does one request after the other: see `becomeLoop`. */
export class ShellSession {
  readonly nonce: string
  /** What the guest knows. */
  encoding: Encoding = 'base64'
  readonly #feed: ConsoleFeed
  readonly #text = new ConsoleText()
  #place: number
  #last = 0
  #isLost = false

  constructor(feed: ConsoleFeed, nonce: string) {
    this.#feed = feed
    this.#place = feed.serial.size
    this.nonce = nonce
  }

  /**
   * Has the guest do something.
   *
   * @param command - a line for its shell, of less than 4000 printable characters
   * @returns what came over the console until it was done
   * @throws Stopped; GuestError `GUEST_CONSOLE_LOST`
   */
  async request(command: string, stop: Stop): Promise<string> {
    stop.throwIfStopped()
    this.#last++
    await this.#feed.serial.write(`k=${this.#last};${command}\r`)
    return await this.#untilDone(stop)
  }

  /**
   * Has the guest say something, again where its kernel has spoken in between.
   *
   * @param answer - what is understood
   * @param reply - what came already, if anything did
   * @throws as {@link request}
   */
  async ask(question: string, answer: RegExp, stop: Stop, reply = ''): Promise<RegExpExecArray> {
    for (let tries = 0, said = reply; tries < TRIES; tries++) {
      const found = answer.exec(said)
      if (found !== null) return found
      said = await this.request(question, stop)
    }
    throw unintelligibleError()
  }

  /**
   * Kills what the last request has started.
   *
   * @returns what came over the console meanwhile
   * @throws GuestError `GUEST_CONSOLE_LOST` if the guest does not come back
   */
  async interrupt(): Promise<string> {
    const stop = new Stop({ timeout: GRACE })
    // It may have been in the midst of a line, which is then no request.
    await this.#feed.serial.write(`${INTERRUPT}\rk=${++this.#last}\r`)
    return await this.#untilDone(stop).catch((error: unknown) => {
      throw stop.code === undefined ? error : lostError('it does not react to Ctrl-C')
    })
  }

  /** Tells that the guest boots anew: what it was asked for is not done. */
  lose(): void {
    this.#isLost = true
  }

  async #untilDone(stop: Stop): Promise<string> {
    const reply = new UntilPrompt(promptAfter(this.nonce, this.#last))
    const foreign = new ForeignPrompt(this.nonce)
    let patience = FIRST_ASK
    let asksAt = monotonic() + patience
    for (;;) {
      if (this.#isLost) throw lostError('the guest boots anew')
      stop.throwIfStopped()
      const looksAt = monotonic() + LOOK
      const isOver = () => this.#isLost || stop.code !== undefined || monotonic() > looksAt
      const bytes = await this.#feed.next(this.#place, isOver)
      this.#place += bytes.length
      const added = this.#text.add(bytes)
      const all = reply.add(added)
      if (all !== undefined) return all
      foreign.add(added)
      if (bytes.length > 0) continue
      const seen = foreign.look()
      if (seen === 'login') throw lostError('there is a login prompt instead')
      if (seen === 'shell') throw lostError('there is another shell instead')
      if (seen === 'none' && monotonic() < asksAt) continue
      await this.#feed.serial.write('\r')
      foreign.enter()
      patience = Math.min(patience * 2, LAST_ASK)
      asksAt = monotonic() + patience
    }
  }
}

/** The error of a shell that is not there any more. */
function lostError(how: string): GuestError {
  return new GuestError('GUEST_CONSOLE_LOST', `the shell on the console is lost: ${how}`, {
    hint: 'the next call logs in again; a guest that has booted or logged out meanwhile asks for a login first',
  })
}

/** The error of a shell that others speak in between of each time. */
export function unintelligibleError(): GuestError {
  return lostError('what it prints is mixed with other messages each time')
}
