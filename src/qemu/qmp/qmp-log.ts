import { wallClock } from '../../params/clocks.js'
import { tracer } from '../../params/trace.js'

const trace = tracer('qmp')

/** Messages that are kept, and characters of each. */
const KEPT = { messages: 500, characters: 2000 }

/** The last messages of a connection with QEMU, for whoever looks into what went wrong. */
export class QmpLog {
  readonly #messages: { at: number; text: string }[] = []
  readonly #label: string

  /** @param label - the machine, as traces call it */
  constructor(label: string) {
    this.#label = label
  }

  /** @param line - as it came over the line, with `->` before what we sent and `<-` before what QEMU did */
  add(direction: '->' | '<-', line: string): void {
    const text = `${direction} ${bounded(line)}`
    this.#messages.push({ at: wallClock(), text })
    trace('%s: %s', this.#label, text)
    if (this.#messages.length >= 2 * KEPT.messages) this.#messages.splice(0, KEPT.messages)
  }

  /** One line for each message, the last one at the end. */
  toString(): string {
    return this.#messages
      .slice(-KEPT.messages)
      .map(({ at, text }) => `${new Date(at).toISOString()} ${text}`)
      .join('\n')
  }
}

/** Copied: V8 would keep all of a long text in memory for a slice. */
function bounded(line: string): string {
  if (line.length <= KEPT.characters) return line.trimEnd()
  const first = Buffer.from(line.slice(0, KEPT.characters)).toString()
  return `${first} [${line.length - KEPT.characters} characters left out]`
}
