import type { OnCommand } from '../../guest/exec/on-command.js'
import { monotonic } from '../../params/clocks.js'
import { CommandEntry } from './command-entry.js'

/** Kept of what happened: the last steps and commands, and characters of all output together. */
const KEPT = { entries: 2000, output: 4 * 2 ** 20 }

interface Entry {
  seconds: number
  what: string | CommandEntry
}

/** What happened with machines: steps, and each command with what it printed. It is bounded. */
export class History {
  readonly #startedAt = monotonic()
  #entries: Entry[] = []
  #forgotten = 0
  #size = 0

  /** Adds a line of its own, with the time. */
  add(what: string): void {
    this.#enter(what)
  }

  /**
   * Adds the commands of a machine as they begin; their output follows when they end.
   *
   * @param label - what tells its commands from those of others
   */
  commands(label = ''): OnCommand {
    return (command, result) => {
      const entry = new CommandEntry(`${label}${command}`, result, () => this.#count(entry))
      this.#enter(entry)
    }
  }

  toString(): string {
    const lines = this.#entries.map(({ seconds, what }) => `${seconds.toFixed(1)} s: ${what}`)
    if (this.#forgotten > 0) lines.unshift(`[${this.#forgotten} earlier entries left out]`)
    return lines.join('\n')
  }

  #enter(what: string | CommandEntry): void {
    this.#entries.push({ seconds: (monotonic() - this.#startedAt) / 1000, what })
    if (this.#entries.length < 2 * KEPT.entries) return
    this.#forgotten += this.#entries.length - KEPT.entries
    this.#entries = this.#entries.slice(-KEPT.entries)
  }

  /** What the last commands printed is kept. */
  #count(ended: CommandEntry): void {
    this.#size += ended.size
    if (this.#size <= KEPT.output) return
    let size = 0
    for (const { what } of this.#entries.toReversed()) {
      if (typeof what === 'string') continue
      size += what.size
      if (size > KEPT.output / 2) what.dropOutput()
    }
    this.#size = KEPT.output / 2
  }
}
