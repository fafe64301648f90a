import { readFile } from 'node:fs/promises'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { writeAtomically } from '../../store/files/write-atomically.js'

/** The name of the log in a state's object. */
export const BUILD_LOG_FILE = 'build.log'

/** What happened while a state was built: the steps, and everything on the serial console. */
export class BuildLog {
  readonly #lines: string[]

  /** @param name - the state as people call it */
  constructor(name: string) {
    this.#lines = [`${name}, ${new Date().toISOString()}`]
  }

  /** Adds lines of its own. */
  add(text: string): void {
    this.#lines.push(text)
  }

  /** Adds the console, as long as the machine's directory is there. */
  async addConsole({ consoleFile }: Pick<MachineProcess, 'consoleFile'>): Promise<void> {
    const text = await readFile(consoleFile, 'latin1').catch(() => '')
    this.add(`\nThe serial console:\n${text}`)
  }

  /** Writes the log, replacing one that is there. */
  async writeTo(path: string): Promise<void> {
    const text = `${this.#lines.join('\n')}\n`
    await writeAtomically(path, text, { replace: true, durable: false })
  }
}
