import { monotonic } from '../../../params/clocks.js'
import type { ConsoleFeed } from '../console-feed.js'
import { ConsoleText } from '../console-text.js'
import type { Stop } from './stop.js'

/** Milliseconds of silence after which what came is taken for all of an answer. */
const QUIET = 250

/** A talk with whatever is at the other end of a console. */
export class Dialog {
  readonly #feed: ConsoleFeed
  readonly #stop: Stop
  readonly #text = new ConsoleText()
  #place: number
  #heard = ''

  constructor(feed: ConsoleFeed, stop: Stop) {
    this.#feed = feed
    this.#stop = stop
    this.#place = feed.serial.size
  }

  /** What came since something was said. */
  get heard(): string {
    return this.#heard
  }

  /** Types something. What is not read yet is no answer to it. */
  async say(text: string): Promise<void> {
    this.#stop.throwIfStopped()
    this.#place = this.#feed.serial.size
    this.#heard = ''
    await this.#feed.serial.write(text)
  }

  /** Types something more: what has come is still an answer. */
  async add(text: string): Promise<void> {
    this.#stop.throwIfStopped()
    await this.#feed.serial.write(text)
  }

  /**
   * Waits for one of several answers, after which nothing follows.
   *
   * @param patience - milliseconds
   * @returns which, or undefined if none came in time
   * @throws Stopped
   */
  async answer<Name extends string>(
    answers: Readonly<Record<Name, RegExp>>,
    patience: number,
  ): Promise<Name | undefined> {
    const end = monotonic() + patience
    const names = Object.keys(answers) as Name[]
    while (monotonic() < end) {
      this.#stop.throwIfStopped(this.#heard)
      const quiet = monotonic() + QUIET
      const isOver = () => this.#stop.code !== undefined || monotonic() >= quiet
      const bytes = await this.#feed.next(this.#place, isOver)
      this.#place += bytes.length
      this.#heard += this.#text.add(bytes)
      if (bytes.length > 0) continue
      const name = names.find((one) => answers[one].test(this.#heard))
      if (name !== undefined) return name
    }
    return undefined
  }
}
