import { renderScreen } from '../../guest/console/screen.js'
import type { OnCommand } from '../../guest/exec/on-command.js'
import { wallClock } from '../../params/clocks.js'
import { cleanConsole } from '../../qemu/machine/clean-console.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { writeAtomically } from '../../store/files/write-atomically.js'
import { History } from '../machines/history.js'

/** The name of the log in a state's object. */
export const BUILD_LOG_FILE = 'build.log'

/** Bytes of a serial console: its end. */
const MAX_CONSOLE = 2 ** 20

/** What is shown of a machine at the end of its log. */
type LoggedMachine = Pick<MachineProcess, 'consoleFile' | 'consoleTail' | 'options'>

/**
 * What happened while a state was built: its steps, every command that the setup ran with what it
 * printed, and the consoles of its machines.
 */
export class BuildLog {
  readonly #title: string
  readonly #history = new History()
  readonly #consoles: string[] = []

  /** @param name - the state as people call it */
  constructor(name: string) {
    this.#title = `${name}, ${new Date(wallClock()).toISOString()}`
  }

  /** Adds a line of its own, with the time. */
  add(what: string): void {
    this.#history.add(what)
  }

  /** As {@link History.commands}. */
  commands(label = ''): OnCommand {
    return this.#history.commands(label)
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
    return this.#history.toString().split('\n').slice(-lines).join('\n')
  }

  /** Writes the log, replacing one that is there. */
  async writeTo(path: string): Promise<void> {
    const text = [this.#title, this.#history, ...this.#consoles, ''].join('\n')
    await writeAtomically(path, text, { replace: true, durable: false })
  }
}
