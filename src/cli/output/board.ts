import { printable } from './printable.js'
import { style } from './style.js'

/** Milliseconds between two looks at the clock. */
const TICK = 1000

/** Where progress is shown: the standard error. */
export interface Terminal {
  isTTY?: boolean
  /** How many characters fit in a line. */
  columns?: number
  write(text: string): unknown
}

interface Doing {
  text: string
  startedAt: number
}

/**
 * Shows several things that go on at the same time: on a terminal a live line for each, under lines
 * that stay; elsewhere a line for each step.
 */
export class Board {
  readonly #terminal: Terminal
  readonly #colors: boolean
  readonly #doing = new Map<string, Doing>()
  #timer: NodeJS.Timeout | undefined
  /** Live lines on the screen. */
  #drawn = 0

  constructor(terminal: Terminal, colors: boolean) {
    this.#terminal = terminal
    this.#colors = colors
  }

  /**
   * Says what is being done about something.
   *
   * @param subject - such as `debian/nginx`
   * @param text - a few words, such as `running the setup`
   */
  begin(subject: string, text: string): void {
    const startedAt = this.#doing.get(subject)?.startedAt ?? Date.now()
    this.#doing.set(subject, { text, startedAt })
    if (!this.#terminal.isTTY) {
      this.#terminal.write(`${printable(`${subject}: ${text}`)} …\n`)
      return
    }
    this.#timer ??= setInterval(() => this.#draw(), TICK).unref()
    this.#draw()
  }

  /** Says something in a line that stays. */
  say(text: string): void {
    this.#draw(`${printable(text)}\n`)
  }

  /** Says what has become of something that was begun, in a line that stays. */
  end(subject: string, text: string): void {
    if (this.#doing.delete(subject)) this.#draw(`${printable(`${subject}: ${text}`)}\n`)
  }

  /** Takes the live lines away. */
  stop(): void {
    clearInterval(this.#timer)
    this.#doing.clear()
    this.#draw()
  }

  #draw(above = ''): void {
    if (!this.#terminal.isTTY) {
      if (above !== '') this.#terminal.write(above)
      return
    }
    const back = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\r\x1b[J`
    const lines = [...this.#doing].map(([subject, doing]) => this.#line(subject, doing))
    this.#drawn = lines.length
    if (back !== '' || above !== '' || lines.length > 0) {
      this.#terminal.write(`${back}${above}${lines.join('')}`)
    }
  }

  /** Never longer than the screen is wide: a line that wraps could not be taken away again. */
  #line(subject: string, { text, startedAt }: Doing): string {
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    const line = printable(`${subject}: ${text}, ${seconds} s`).replaceAll('\n', ' ')
    const width = (this.#terminal.columns ?? 80) - 1
    return `${style('faint', line.slice(0, width), this.#colors)}\n`
  }
}
