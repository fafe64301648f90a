import { renderScreen } from '../../guest/console/screen.js'
import type { OnCommand } from '../../guest/exec/on-command.js'
import { cleanConsole } from '../../qemu/machine/clean-console.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { writeAtomically } from '../../store/files/write-atomically.js'
import { CommandEntry } from './command-entry.js'

/** The name of the log in a state's object. */
export const BUILD_LOG_FILE = 'build.log'

/** Characters of output kept for all commands of a build: those of the last ones. */
const MAX_OUTPUT = 4 * 2 ** 20

/** Bytes of a serial console: its end. */
const MAX_CONSOLE = 2 ** 20

/** What is shown of a machine at the end of its log. */
type LoggedMachine = Pick<MachineProcess, 'consoleFile' | 'consoleTail' | 'options'>

/**
 * What happened while a state was built: its steps, every command that the setup ran with what it
 * printed, and the consoles of its machines.
 */
export class BuildLog {
  readonly #startedAt = performance.now()
  readonly #title: string
  readonly #entries: { at: string; what: string | CommandEntry }[] = []
  readonly #consoles: string[] = []

  /** @param name - the state as people call it */
  constructor(name: string) {
    this.#title = `${name}, ${new Date().toISOString()}`
  }

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
    return (command, result) => this.#enter(new CommandEntry(`${label}${command}`, result))
  }

  /** Adds a machine's serial console, as long as its directory is there. */
  async addConsole(machine: LoggedMachine): Promise<void> {
    const raw = await machine.consoleTail(MAX_CONSOLE).catch(() => '')
    const { name } = machine.options
    this.#consoles.push(
      `\nThe serial console of ${name}:\n${cleanConsole(raw)}`,
      `\nThe last screen of ${name}'s serial console:\n${renderScreen(raw)}`,
    )
  }

  /**
   * The end of the steps and commands.
   *
   * @param lines - how many at most
   */
  tail(lines: number): string {
    return this.#history().split('\n').slice(-lines).join('\n')
  }

  /** Writes the log, replacing one that is there. */
  async writeTo(path: string): Promise<void> {
    const text = [this.#title, this.#history(), ...this.#consoles, ''].join('\n')
    await writeAtomically(path, text, { replace: true, durable: false })
  }

  #enter(what: string | CommandEntry): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    this.#entries.push({ at: `${seconds.toFixed(1)} s`, what })
  }

  #history(): string {
    const commands = this.#entries.flatMap(({ what }) => (typeof what === 'string' ? [] : [what]))
    let size = 0
    for (const command of commands.reverse()) {
      size += command.size
      if (size > MAX_OUTPUT) command.dropOutput()
    }
    return this.#entries.map(({ at, what }) => `${at}: ${what}`).join('\n')
  }
}
