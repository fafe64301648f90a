import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { inStore } from '../files/storage-error.js'
import { checkFileName } from '../names.js'
import { addProcess, removeProcess } from './process-records.js'
import { removeRun } from './remove-run.js'

/** What machines need while they run: their directories, and a record of their processes. */
export class Run implements AsyncDisposable {
  readonly id: string
  /** Absolute path; for the user alone (mode 0700). */
  readonly directory: string

  constructor(id: string, directory: string) {
    this.id = id
    this.directory = directory
  }

  /**
   * Makes an empty directory for one machine.
   *
   * @param name - the machine's name; two machines of that name get two directories
   * @returns its absolute path
   */
  async machineDirectory(name: string): Promise<string> {
    checkFileName('the name of a machine', name)
    return inStore(this.directory, () => mkdtemp(join(this.directory, `${name}-`)))
  }

  /**
   * Records a process, so that whoever reaps this run kills it. To be called as soon as it has a
   * pid.
   */
  async addProcess(pid: number): Promise<void> {
    await inStore(this.directory, () => addProcess(this.directory, pid))
  }

  /** Forgets a process that has ended. */
  async removeProcess(pid: number): Promise<void> {
    await removeProcess(this.directory, pid)
  }

  /** Kills the processes that are still recorded, and deletes the directory. */
  async end(): Promise<void> {
    await removeRun(this.directory)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}
