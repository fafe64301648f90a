import { clearInterval, setInterval } from 'node:timers'
import type { Admission } from '../../store/admissions/admission.js'
import type { LedgerEntry } from '../../store/admissions/entry.js'
import type { AdmissionLedger, AdmissionRequest } from '../../store/admissions/ledger.js'
import type { LimitsInForce } from './limits-in-force.js'
import type { Need } from './need.js'
import { requireFitting } from './require-fitting.js'
import { Reserve } from './reserve.js'

/** What machines have, until it is released. */
export interface Share {
  /** Whether others on this host can have it once it is released. */
  readonly isShared: boolean
  release(): Promise<void>
}

/** How to wait for a share. */
export interface TakeOptions {
  signal?: AbortSignal | undefined
  /** Whether nothing that this process has is given back before this share is there. */
  isStuck?: (() => boolean) | undefined
  /** Told when it begins to wait, and when that is over. */
  onWaiting?: ((isWaiting: boolean) => void) | undefined
  /** For a build, which gives it back by itself: nobody who waits counts on it to be stuck. */
  isForBuild?: boolean
  onWait?: ((held: readonly LedgerEntry[]) => void) | undefined
}

/** Milliseconds between two looks whether all that this process has waits as well. */
const LOOK_EVERY = 100

interface AllowanceHost {
  limits: () => Promise<LimitsInForce>
  giveUp: () => Promise<boolean>
  /** Whether none of the machines that this process has but for builds will be given back before others are there. */
  allWait: () => boolean
}

/** One that waits for a share; it may also get what others of this process give back. */
interface Waiting {
  need: Need
  give(share: Share): void
}

/** What the machines of one process may take of the host. */
export class Allowance {
  readonly #ledger: AdmissionLedger
  readonly #limits: () => Promise<LimitsInForce>
  readonly #giveUp: () => Promise<boolean>
  readonly #allWait: () => boolean
  readonly #builds = new Set<Admission>()
  readonly #held = new Set<Admission>()
  readonly #waiting = new Set<Waiting>()
  #reserve: Reserve | undefined

  /**
   * @param host.limits - asked when something is taken
   * @param host.giveUp - asked, before a wait, to end a machine that nobody needs; tells whether
   *   there was one
   * @param host.allWait - asked while a build waits
   */
  constructor(ledger: AdmissionLedger, { limits, giveUp, allWait }: AllowanceHost) {
    this.#ledger = ledger
    this.#limits = limits
    this.#giveUp = giveUp
    this.#allWait = allWait
  }

  /**
   * Waits until machines may be started: in what was reserved, else in line with everyone on this
   * host.
   *
   * @throws VmStatesError `MACHINE_TOO_LARGE`, `ABORTED`
   */
  async take(need: Need, options: TakeOptions = {}): Promise<Share> {
    const limits = await this.#limits()
    requireFitting(need, limits)
    for (;;) {
      const drawn = this.#draw(need)
      if (drawn !== undefined) return drawn
      const request = requestOf(need, limits)
      const admission = await this.#ledger.tryAdmit(request)
      if (admission !== undefined) return this.#shareOf(admission, options.isForBuild)
      if (!(await this.#giveUp())) return await this.#wait(need, request, options)
    }
  }

  /**
   * What machines take, if it is there without waiting, and nobody waits for it: for machines that
   * nobody needs yet.
   */
  async tryTake(need: Need): Promise<Share | undefined> {
    const limits = await this.#limits()
    if (this.#waiting.size > 0) return undefined
    const drawn = this.#draw(need)
    if (drawn !== undefined) return drawn
    const admission = await this.#ledger.tryAdmit(requestOf(need, limits))
    return admission && this.#shareOf(admission)
  }

  /**
   * Keeps memory for machines to come, so that they do not have to wait; no more than the limits. It
   * replaces what was reserved before.
   *
   * @throws VmStatesError `ABORTED`
   */
  async reserve(need: Need, { signal, isStuck, onWait }: TakeOptions = {}): Promise<void> {
    await this.endReserve()
    const limits = await this.#limits()
    const most = {
      ...need,
      memory: Math.min(need.memory, limits.memory.value),
      machines: Math.min(need.machines, limits.machines?.value ?? need.machines),
    }
    const request = requestOf(most, limits)
    let admission = await this.#ledger.tryAdmit(request)
    while (admission === undefined && (await this.#giveUp())) {
      admission = await this.#ledger.tryAdmit(request)
    }
    const holding = isStuck?.() ? this.#keptWhileStuck() : []
    const admitted =
      admission ?? (await this.#ledger.admit({ ...request, holding }, { signal, onWait }))
    this.#held.add(admitted)
    this.#reserve = new Reserve(most, () => this.#release(admitted))
  }

  /** Gives back what was reserved, once it is not in use any more. */
  async endReserve(): Promise<void> {
    const reserve = this.#reserve
    this.#reserve = undefined
    await reserve?.end()
  }

  /** Gives everything back, once the machines have ended. */
  async close(): Promise<void> {
    this.#reserve = undefined
    await Promise.all([...this.#held].map((admission) => this.#release(admission)))
  }

  /** Whether anyone in this process waits. */
  get isWaitedFor(): boolean {
    return this.#waiting.size > 0
  }

  /** Whether anyone on this host waits. */
  get isWantedByOthers(): boolean {
    return this.#ledger.list().some(({ state }) => state === 'waiting')
  }

  /** Whether someone waits while this process has something. */
  get isInTheWay(): boolean {
    return this.#held.size > 0 && this.isWantedByOthers
  }

  #draw(need: Need): Share | undefined {
    const drawn = this.#reserve?.draw(need)
    if (drawn === undefined) return undefined
    const release = async () => {
      await drawn.release()
      this.#handOn()
    }
    return { isShared: false, release }
  }

  /** Gives what is free in the reserve to those of this process that wait, first come first. */
  #handOn(): void {
    for (const waiting of this.#waiting) {
      const drawn = this.#draw(waiting.need)
      if (drawn === undefined) return
      this.#waiting.delete(waiting)
      waiting.give(drawn)
    }
  }

  async #wait(
    need: Need,
    request: AdmissionRequest,
    { signal, isForBuild, onWait, onWaiting, ...options }: TakeOptions,
  ): Promise<Share> {
    const isStuck = isForBuild ? this.#allWait : options.isStuck
    const served = new AbortController()
    let given: Share | undefined
    const waiting: Waiting = {
      need,
      give(share) {
        given = share
        served.abort()
      },
    }
    this.#waiting.add(waiting)
    onWaiting?.(true)
    try {
      for (;;) {
        const holding = isStuck?.() ? this.#keptWhileStuck() : []
        const stuck = new AbortController()
        const look = setInterval(() => {
          if (holding.length === 0 && this.#keptWhileStuck().length > 0 && isStuck?.()) {
            stuck.abort()
          }
        }, LOOK_EVERY).unref()
        const signals = [served.signal, stuck.signal, ...(signal === undefined ? [] : [signal])]
        try {
          const admission = await this.#ledger.admit(
            { ...request, holding },
            { signal: AbortSignal.any(signals), onWait },
          )
          await given?.release()
          return this.#shareOf(admission, isForBuild)
        } catch (error) {
          if (given !== undefined) return given
          // What others of this process wait for now is told in another place in line.
          if (!stuck.signal.aborted || signal?.aborted) throw error
        } finally {
          clearInterval(look)
        }
      }
    } finally {
      this.#waiting.delete(waiting)
      onWaiting?.(false)
    }
  }

  /** What is given back only once what is waited for is there. */
  #keptWhileStuck(): Admission[] {
    return [...this.#held].filter((admission) => !this.#builds.has(admission))
  }

  #shareOf(admission: Admission, isForBuild = false): Share {
    this.#held.add(admission)
    if (isForBuild) this.#builds.add(admission)
    return { isShared: true, release: () => this.#release(admission) }
  }

  async #release(admission: Admission): Promise<void> {
    this.#held.delete(admission)
    this.#builds.delete(admission)
    await admission.release()
  }
}

function requestOf({ memory, machines, label }: Need, limits: LimitsInForce): AdmissionRequest {
  return {
    ...{ units: memory, machines, label },
    limits: { units: limits.memory.value, machines: limits.machines?.value },
  }
}
