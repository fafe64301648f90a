import { hash } from 'node:crypto'
import { VmStatesError } from '../../params/errors.js'
import { formatSize } from '../../params/format-size.js'
import { usageOf } from '../../store/objects/usage.js'
import type { Store } from '../../store/store.js'
import type { Context } from '../graph/context.js'
import type { MachinesInHand } from '../machines/machines-in-hand.js'
import { directorySize } from './directory-size.js'
import { captureMoment } from './keep-machines.js'
import { FAILED, type FailedTest } from './kept-moment.js'
import { findKept, readKept } from './kept-states.js'

/** Milliseconds: nobody should wait for long because a test failed. */
const TIMEOUT = 20_000

/** Characters of a test's name in that of its state. */
const MAX_SLUG = 40

/** A failed test, and which of its machines are kept. */
export interface Failure {
  test: FailedTest
  /** The test's own name, without its suites. */
  title: string
  /** How many machines or environments of this attempt were kept before. */
  index: number
}

/**
 * Keeps the machines of a test that has failed, as they were when they were stopped, and ends their
 * processes. Older failures go where there is no room.
 *
 * @param limits.maxSize - bytes on the disk that all that failed tests left may take
 * @returns the name of the state: `failed/serves-the-page-1`
 * @throws VmStatesError `DISK_FULL` where it is too large, also by the limit; `GUEST_GONE`,
 *   `SAVE_BLOCKED`, `TIMEOUT`, `QMP_COMMAND_FAILED`
 */
export async function keepFailure(
  machines: MachinesInHand,
  context: Context,
  failure: Failure,
  { maxSize }: { maxSize: number },
): Promise<string> {
  const { test } = failure
  const { store } = context
  const { draft, commit } = await captureMoment(machines, context, { timeout: TIMEOUT, test })
  try {
    const size = await directorySize(draft.directory)
    await using _lock = await store.lock('kept-failures', { timeout: TIMEOUT })
    await makeRoom(store, size, maxSize)
    const name = await nameFor(failure, store)
    await commit(FAILED, name)
    return `${FAILED}/${name}`
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** The oldest go first, but not those that somebody has stepped into. */
async function makeRoom(store: Store, size: number, maxSize: number): Promise<void> {
  if (size > maxSize) {
    const text = `its machines take ${formatSize(size)}, and keep.maxSize is ${formatSize(maxSize)}`
    throw new VmStatesError('DISK_FULL', text)
  }
  const objects = await store.objects.list()
  const kept = objects.filter((object) => readKept(object)?.meta.owner === FAILED)
  const usage = await usageOf(kept)
  let total = kept.reduce((sum, { id }) => sum + (usage.get(id)?.size ?? 0), size)
  for (const { id } of kept) {
    if (total <= maxSize) return
    const isGone = await store.objects.remove(id).catch(() => false)
    if (isGone) total -= usage.get(id)?.size ?? 0
  }
  if (total > maxSize) {
    const text = `${formatSize(total - size)} of kept failures are in use, and keep.maxSize is ${formatSize(maxSize)}`
    throw new VmStatesError('DISK_FULL', text)
  }
}

/** Short where it can be; the same attempt at the same test replaces what it left before. */
async function nameFor({ test, title, index }: Failure, store: Store): Promise<string> {
  const slug = slugOf(title)
  const short = `${slug}-${test.attempt}`
  if (index === 0) {
    const known = await findKept(store, FAILED, short)
    if (known === undefined || known.moment.test?.id === test.id) return short
  }
  const identity = `${test.id}\n${index}`
  return `${slug}-${hash('sha256', identity).slice(0, 4)}-${test.attempt}`
}

/** Letters and digits that any keyboard has, with hyphens between them. */
function slugOf(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? ['test']
  let slug = ''
  for (const word of words) {
    if (slug !== '' && slug.length + word.length >= MAX_SLUG) break
    slug = slug === '' ? word.slice(0, MAX_SLUG) : `${slug}-${word}`
  }
  return slug
}
