import { monotonic } from '../../params/clocks.js'
import { isHere } from './host.js'
import type { OwnerRecord } from './owner-record.js'
import { processStatus } from './process-status.js'

/** How long the heartbeat of an owner that cannot be judged otherwise may stand still, in ms. */
const STALE_AFTER = 4000

/** A longer gap between two looks proves nothing about the owner: this process may have stood still. */
const LONGEST_GAP = 500

interface Sighting {
  heartbeat: string
  lookedAt: number
  unchangedFor: number
}

/** Judges an owner: true if it is dead for sure, or, elsewhere, as good as dead. */
export type IsDead = (owner: OwnerRecord, heartbeat: () => Promise<string>) => Promise<boolean>

/**
 * Judges owners by what is known for sure: a process of this PID namespace and boot by `/proc`.
 *
 * @returns undefined for an owner of another namespace, boot or host
 */
export async function isProvablyDead(owner: OwnerRecord): Promise<boolean | undefined> {
  if (!isHere(owner)) return undefined
  const status = await processStatus(owner)
  return status === 'unknown' ? undefined : status === 'ended'
}

/**
 * A judge for one wait. Owners that `/proc` says nothing about are dead when their heartbeat has
 * stood still under our eyes for `STALE_AFTER`: no clock is compared with another's, and a
 * host that was suspended meanwhile has killed nobody.
 */
export function watchForDeath(now: () => number = monotonic): IsDead {
  const sightings = new Map<string, Sighting>()
  return async (owner, readHeartbeat) => {
    const proof = await isProvablyDead(owner)
    if (proof !== undefined) return proof
    const heartbeat = await readHeartbeat()
    const lookedAt = now()
    const last = sightings.get(owner.nonce)
    const unchangedFor =
      last?.heartbeat === heartbeat
        ? last.unchangedFor + Math.min(lookedAt - last.lookedAt, LONGEST_GAP)
        : 0
    sightings.set(owner.nonce, { heartbeat, lookedAt, unchangedFor })
    return unchangedFor >= STALE_AFTER
  }
}
