import type { Terminal } from './board.js'
import { printable } from './printable.js'
import { style } from './style.js'

/** Milliseconds that pass before a command says what it is doing. */
const PATIENCE = 1000

/**
 * Says on the standard error what takes so long, once it has taken a second: as one line that is
 * rewritten on a terminal, as a line for each step elsewhere.
 */
export class Progress {
  #step = ''
  #shown = ''
  #started = Date.now()
  #timer: NodeJS.Timeout | undefined
  readonly #stream: Terminal
  readonly #colors: boolean

  constructor(stream: Terminal, colors: boolean) {
    this.#stream = stream
    this.#colors = colors
  }

  /** Starts the clock. */
  start(): void {
    this.#started = Date.now()
    this.#timer = setInterval(() => this.#show(), PATIENCE)
    this.#timer.unref()
  }

  /**
   * Says what is being done now.
   *
   * @param step - a few words, such as `converting disk.vmdk`
   */
  step(step: string): void {
    this.#step = printable(step)
    if (Date.now() - this.#started > PATIENCE) this.#show()
  }

  /** Ends it and leaves a clean line. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#shown !== '' && this.#stream.isTTY) this.#stream.write('\r\x1b[K')
  }

  #show(): void {
    if (this.#step === '') return
    if (this.#stream.isTTY) {
      const seconds = Math.round((Date.now() - this.#started) / 1000)
      this.#stream.write(`\r\x1b[K${style('faint', `${this.#step} (${seconds} s)`, this.#colors)}`)
    } else if (this.#shown !== this.#step) {
      this.#stream.write(`${this.#step} …\n`)
    }
    this.#shown = this.#step
  }
}
