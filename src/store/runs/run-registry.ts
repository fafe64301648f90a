import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { wallClock } from '../../params/clocks.js'
import { inStore, unlessMissing } from '../files/storage-error.js'
import { writeAtomically } from '../files/write-atomically.js'
import type { Layout } from '../layout.js'
import { draftName, reapLeftovers } from '../leftovers.js'
import { Census } from '../lock/census.js'
import type { Presence } from '../lock/presence.js'
import { newNonce } from '../names.js'
import { PROCESSES } from './process-records.js'
import { removeRun } from './remove-run.js'
import { Run } from './run.js'
import { isRunGone, RUN_FILE, type RunLifetime, type RunRecord, readRun } from './run-record.js'

/** What reaping the runs found. */
export interface ReapedRuns {
  /** Ids of the runs whose directories were deleted. */
  runs: string[]
  /** Pids of the processes that were killed. */
  processes: number[]
}

/** The runs of a store. */
export class RunRegistry {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #prepare: () => Promise<void>

  constructor(layout: Layout, presence: Presence, prepare: () => Promise<void>) {
    this.#layout = layout
    this.#presence = presence
    this.#prepare = prepare
  }

  /**
   * Begins a run.
   *
   * @param lifetime - `process`: it is reaped when this process is gone; `detached`: it lasts until
   *   someone ends it
   * @param label - what it is for, for people
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
   */
  async begin({ lifetime, label }: { lifetime: RunLifetime; label: string }): Promise<Run> {
    await this.#prepare()
    const { runs } = this.#layout
    return inStore(runs, async () => {
      await this.#presence.announce()
      const id = newNonce()
      const unfinished = join(runs, draftName(this.#presence.name, id))
      const record: RunRecord = {
        id,
        lifetime,
        label,
        startedAt: new Date(wallClock()).toISOString(),
        presence: this.#presence.name,
      }
      await mkdir(join(unfinished, PROCESSES), { recursive: true, mode: 0o700 })
      await writeAtomically(join(unfinished, RUN_FILE), JSON.stringify(record), {
        replace: true,
        durable: true,
      })
      await rename(unfinished, join(runs, id))
      return new Run(id, join(runs, id))
    })
  }

  /** A run that was begun before, here or elsewhere; undefined if there is none. */
  async open(id: string): Promise<Run | undefined> {
    const directory = join(this.#layout.runs, id)
    return (await readRun(directory)) === undefined ? undefined : new Run(id, directory)
  }

  /** All runs, with those that wait to be reaped. */
  async list(): Promise<RunRecord[]> {
    const records = (await this.#ids()).map((id) => readRun(join(this.#layout.runs, id)))
    return (await Promise.all(records)).filter((record) => record !== undefined)
  }

  /**
   * Cleans up after processes that are gone: kills what they left running and deletes what they
   * left behind. Safe to do several times at once. Detached runs stay.
   */
  async reap(census = new Census(this.#layout.locks)): Promise<ReapedRuns> {
    const { runs } = this.#layout
    const reaped: ReapedRuns = { runs: [], processes: [] }
    const ids = await this.#ids()
    await Promise.all(
      ids.map(async (id) => {
        const directory = join(runs, id)
        if (!(await isRunGone(directory, census))) return
        reaped.processes.push(...(await removeRun(directory)))
        reaped.runs.push(id)
      }),
    )
    await reapLeftovers(runs, census)
    return reaped
  }

  async #ids(): Promise<string[]> {
    const names = (await unlessMissing(readdir(this.#layout.runs))) ?? []
    return names.filter((name) => !name.startsWith('.'))
  }
}
