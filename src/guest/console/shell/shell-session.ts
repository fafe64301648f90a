import { GuestError } from '../../guest-error.js'
import type { ConsoleFeed } from '../console-feed.js'
import { ConsoleText } from '../console-text.js'
import type { Encoding } from './encoding.js'
import { promptAfter } from './guest-programs.js'
import { Stop } from './stop.js'

/** Milliseconds of silence until the guest is asked for its prompt again: the kernel may have spoken in it. */
const FIRST_ASK = 2000
const LAST_ASK = 60_000

/** Milliseconds that a guest gets to kill what runs. */
const GRACE = 5000

const INTERRUPT = '\x03'

const LOGIN_PROMPT = /\blogin: ?$/

/** Of a shell that is not ours. */
const OTHER_PROMPT = /[#$%>] ?$/

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
   * Kills what the last request has started.
   *
   * @returns what came over the console meanwhile
   * @throws GuestError `GUEST_CONSOLE_LOST` if the guest does not come back
   */
  async interrupt(): Promise<string> {
    const stop = new Stop({ timeout: GRACE })
    await this.#feed.serial.write(INTERRUPT)
    return await this.#untilDone(stop).catch((error: unknown) => {
      throw stop.code === undefined ? error : lostError('it does not react to Ctrl-C')
    })
  }

  /** Tells that the guest boots anew: what it was asked for is not done. */
  lose(): void {
    this.#isLost = true
  }

  async #untilDone(stop: Stop): Promise<string> {
    const prompt = promptAfter(this.nonce, this.#last)
    let text = ''
    let asked = performance.now()
    let patience = FIRST_ASK
    for (;;) {
      const end = text.indexOf(prompt)
      if (end !== -1) return text.slice(0, end)
      if (LOGIN_PROMPT.test(text)) throw lostError('there is a login prompt instead')
      if (this.#isLost) throw lostError('the guest boots anew')
      stop.throwIfStopped()
      const isSilent = () => performance.now() - asked > patience
      const isOver = () => this.#isLost || stop.code !== undefined || isSilent()
      const bytes = await this.#feed.next(this.#place, isOver)
      this.#place += bytes.length
      text += this.#text.add(bytes)
      if (bytes.length === 0 && isSilent()) {
        if (OTHER_PROMPT.test(text)) throw lostError('there is another shell instead')
        await this.#feed.serial.write('\r')
        patience = Math.min(patience * 2, LAST_ASK)
        asked = performance.now()
      }
    }
  }
}

/** The error of a shell that is not there any more. */
export function lostError(how: string): GuestError {
  return new GuestError('GUEST_CONSOLE_LOST', `the shell on the console is lost: ${how}`, {
    hint: 'the next call logs in again; a guest that has booted or logged out meanwhile asks for a login first',
  })
}
