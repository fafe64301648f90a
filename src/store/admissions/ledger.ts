import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { VmStatesError } from '../../params/errors.js'
import { inStore, systemCode, unlessMissing } from '../files/storage-error.js'
import type { Layout } from '../layout.js'
import type { Census } from '../lock/census.js'
import { exclusively } from '../lock/exclusively.js'
import { lockFiles, readHeartbeat } from '../lock/lock-files.js'
import type { Presence } from '../lock/presence.js'
import { newNonce } from '../names.js'
import { type IsDead, watchForDeath } from '../owner/death-watch.js'
import { programName, readOwner } from '../owner/owner-record.js'
import { Admission } from './admission.js'
import { type EntryRecord, entryPath, type LedgerEntry, type Limits, readEntries } from './entry.js'
import { isTurnOf } from './turn.js'

const LOCK = '_admissions'

/** How long a waiting process sleeps between two looks at the ledger, in ms. */
const POLL = { shortest: 15, longest: 40 }

/** How long until it looks whether the others still live, too, in ms. */
const LOOK_CLOSELY_EVERY = 150

/** How long until it tells again whom it waits for, in ms, if that has changed. */
const TELL_EVERY = 1000

/** A symbolic link holds 4095 bytes. */
const LONGEST_LABEL = 200

/** What somebody asks for, all of it at once. */
export interface AdmissionRequest {
  /** In what the limit is counted in: for machines, bytes of memory. */
  units: number
  machines: number
  /** What it is for, for people. */
  label: string
  /** How much may be held at once, this request included. Processes may differ in it. */
  limits: Limits
  /** Admissions that are not released before this one is granted. */
  holding?: readonly Admission[] | undefined
}

/** How to wait for an admission. */
export interface AdmissionOptions {
  /** Cancels the wait. */
  signal?: AbortSignal | undefined
  /** Told who holds what when the wait begins, and now and then when that has changed. */
  onWait?: ((held: readonly LedgerEntry[]) => void) | undefined
}

/** Who holds how much on this host, and who waits for it. */
export class AdmissionLedger {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #prepare: () => Promise<void>
  readonly #known = new Map<string, EntryRecord>()
  #hasDirectory = false

  constructor(layout: Layout, presence: Presence, prepare: () => Promise<void>) {
    this.#layout = layout
    this.#presence = presence
    this.#prepare = prepare
  }

  /**
   * Waits in line until what is asked for fits what may be held at once; it is then held until it
   * is released, or this process is gone. First come, first served. A request larger than its
   * limits is admitted when nothing else is held.
   *
   * @throws VmStatesError `ABORTED`
   */
  async admit(
    request: AdmissionRequest,
    { signal, onWait }: AdmissionOptions = {},
  ): Promise<Admission> {
    for (;;) {
      const entry = await this.#enter(request, 'wait')
      if (entry.state === 'held') return this.#admission(entry)
      try {
        if (await this.#waitInLine(entry, { signal, onWait })) {
          return this.#admission({ ...entry, state: 'held' })
        }
      } catch (error) {
        await unlessMissing(unlink(entryPath(this.#layout.admissions, entry)))
        throw error
      }
    }
  }

  /** What is asked for if it is to be had without waiting; undefined otherwise. */
  async tryAdmit(request: AdmissionRequest): Promise<Admission | undefined> {
    const entry = await this.#enter(request, 'leave')
    return entry.state === 'held' ? this.#admission(entry) : undefined
  }

  /** Everything that is held or waited for, first come first, with what waits to be reaped. */
  list(): LedgerEntry[] {
    try {
      return this.#read().sort((a, b) => a.ticket - b.ticket)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }

  /** Removes what processes that are gone held or waited for. */
  async reap(census: Census): Promise<void> {
    await this.#bury(this.list(), ({ presence }) => census.isGone(presence))
  }

  async #enter(request: AdmissionRequest, otherwise: 'wait' | 'leave'): Promise<LedgerEntry> {
    const { admissions, locks } = this.#layout
    await this.#makeReady()
    const { units, machines, label, limits, holding = [] } = request
    const record: EntryRecord = {
      ...{ id: newNonce(), presence: this.#presence.name, units, machines, limits },
      label: label.slice(0, LONGEST_LABEL),
      pid: process.pid,
      program: programName().slice(0, LONGEST_LABEL),
      holding: holding.map(({ id }) => id),
    }
    return inStore(admissions, () =>
      exclusively(locks, LOCK, () => {
        const entries = this.#read()
        const ticket = 1 + Math.max(0, ...entries.map((entry) => entry.ticket))
        const entry: LedgerEntry = { ...record, state: 'waiting', ticket }
        if (isTurnOf(entry, [...entries, entry])) entry.state = 'held'
        else if (otherwise === 'leave') return entry
        symlinkSync(JSON.stringify(record), entryPath(admissions, entry))
        return entry
      }),
    )
  }

  /** @returns false if others have taken this process for dead, and removed its entry */
  async #waitInLine(mine: LedgerEntry, { signal, onWait }: AdmissionOptions): Promise<boolean> {
    const isDead = watchForDeath()
    let lookAt = 0
    let tell = { at: 0, about: '' }
    for (;;) {
      if (signal?.aborted) throw aborted(mine, signal)
      if (monotonic() >= lookAt) {
        await this.#buryDead(mine, isDead)
        lookAt = monotonic() + LOOK_CLOSELY_EVERY
      }
      const entries = this.#read()
      if (!entries.some(({ id }) => id === mine.id)) return false
      if (isTurnOf(mine, entries) && (await this.#pass(mine))) return true
      const held = entries.filter(({ state }) => state === 'held')
      const about = held.map(({ id }) => id).join()
      if (monotonic() >= tell.at && about !== tell.about) {
        onWait?.(held)
        tell = { at: monotonic() + TELL_EVERY, about }
      }
      await pause(mine, signal)
    }
  }

  /** Looks again while nobody else can be admitted, and goes ahead if it is still its turn. */
  async #pass(mine: LedgerEntry): Promise<boolean> {
    const { admissions, locks } = this.#layout
    return exclusively(locks, LOCK, () => {
      const entries = this.#read()
      const isThere = entries.some(({ id }) => id === mine.id)
      if (!isThere || !isTurnOf(mine, entries)) return false
      renameSync(entryPath(admissions, mine), entryPath(admissions, { ...mine, state: 'held' }))
      return true
    })
  }

  async #buryDead(mine: LedgerEntry, isDead: IsDead): Promise<void> {
    const verdicts = new Map<string, Promise<boolean>>()
    const judge = async (presence: string): Promise<boolean> => {
      const files = lockFiles(this.#layout.locks, presence)
      const owner = await readOwner(files.record)
      return owner === undefined || (await isDead(owner, () => readHeartbeat(files)))
    }
    const others = this.#read().filter(({ presence }) => presence !== mine.presence)
    await this.#bury(others, ({ presence }) => {
      const verdict = verdicts.get(presence) ?? judge(presence)
      verdicts.set(presence, verdict)
      return verdict
    })
  }

  // The entries of the dead do not change any more: no lock is needed to remove them.
  async #bury(
    entries: readonly LedgerEntry[],
    isGone: (entry: LedgerEntry) => Promise<boolean>,
  ): Promise<void> {
    await Promise.all(
      entries.map(async (entry) => {
        if (!(await isGone(entry))) return
        await unlessMissing(unlink(entryPath(this.#layout.admissions, entry)))
      }),
    )
  }

  async #makeReady(): Promise<void> {
    const { admissions } = this.#layout
    await this.#prepare()
    await inStore(admissions, async () => {
      // A store that was made by an earlier version has no such directory.
      if (!this.#hasDirectory) mkdirSync(admissions, { recursive: true, mode: 0o700 })
      this.#hasDirectory = true
      await this.#presence.announce()
    })
  }

  #read(): LedgerEntry[] {
    return readEntries(this.#layout.admissions, this.#known)
  }

  #admission(entry: LedgerEntry): Admission {
    return new Admission(entryPath(this.#layout.admissions, entry), entry)
  }
}

async function pause(mine: LedgerEntry, signal?: AbortSignal): Promise<void> {
  const duration = POLL.shortest + Math.random() * (POLL.longest - POLL.shortest)
  try {
    await sleep(duration, undefined, signal && { signal })
  } catch {
    throw aborted(mine, signal)
  }
}

function aborted({ label }: LedgerEntry, signal?: AbortSignal): VmStatesError {
  return new VmStatesError('ABORTED', `the wait to be admitted with ${label} was cancelled`, {
    cause: signal?.reason,
  })
}
