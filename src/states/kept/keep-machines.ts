import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { monotonic } from '../../params/clocks.js'
import { VmStatesError } from '../../params/errors.js'
import type { Draft } from '../../store/objects/draft.js'
import { eachMember } from '../definitions/each-member.js'
import { DETAILS } from '../definitions/types.js'
import type { Context } from '../graph/context.js'
import { writeMeta } from '../graph/state-meta.js'
import { type CapturedMachines, captureMachines } from '../machines/capture-machines.js'
import type { MachinesInHand } from '../machines/machines-in-hand.js'
import { CONSOLE_FILE, MAX_CONSOLE } from './kept-console.js'
import type { FailedTest, KeptMoment } from './kept-moment.js'
import { keptKey } from './kept-states.js'

/** A moment of machines, as files that are not in the store yet. */
export interface CapturedMoment {
  draft: Draft
  /** Puts it into the store under a name, in place of what had that name. */
  commit(owner: string, name: string): Promise<void>
}

/**
 * Writes the present state of machines as files, and ends their processes.
 *
 * @param machines - running, or stopped at the moment that is to be kept; to be closed after the commit
 * @param options.timeout - milliseconds
 * @throws VmStatesError `GUEST_GONE` if one has ended, `SAVE_BLOCKED`, `TIMEOUT`, `DISK_FULL`,
 *   `QMP_COMMAND_FAILED`; nothing is left behind then
 */
export async function captureMoment(
  machines: MachinesInHand,
  context: Context,
  { timeout, test }: { timeout: number; test?: FailedTest },
): Promise<CapturedMoment> {
  const { objects } = context.store
  const startedAt = monotonic()
  const consoles = await consolesOf(machines)
  const draft = await objects.createDraft()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    for (const process of machines.processes) void process.close()
  }, timeout)
  try {
    const captured = await captureMachines(machines, 'fork', draft.directory)
    for (const [member, text] of consoles) {
      await writeFile(join(draft.directory, member, CONSOLE_FILE), text)
    }
    const seconds = (monotonic() - startedAt) / 1000
    const commit = (owner: string, name: string) =>
      commitMoment({ machines, context, draft, captured, seconds, test, owner, name })
    return { draft, commit }
  } catch (error) {
    await draft.discard()
    if (!isLate) throw error
    const text = `the machines could not be written within ${timeout} ms`
    throw new VmStatesError('TIMEOUT', text, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

async function consolesOf({ machines }: MachinesInHand): Promise<[member: string, text: string][]> {
  const tails = Object.entries(machines).map(async ([member, { process }]) => {
    const text = await process.consoleTail(MAX_CONSOLE).catch(() => '')
    return [member, text] as [string, string]
  })
  return await Promise.all(tails)
}

interface NewKept {
  machines: MachinesInHand
  context: Context
  draft: Draft
  captured: CapturedMachines
  seconds: number
  test: FailedTest | undefined
  owner: string
  name: string
}

async function commitMoment(kept: NewKept): Promise<void> {
  const { machines, context, draft, captured, seconds, test, owner, name } = kept
  const { definition, state } = machines
  const { kind, members } = definition[DETAILS]
  const { keys, objects } = context.store
  // All but the files is as it was.
  const files = Object.entries(captured.files).map(([member, files]) => [
    member,
    { ...state.members[member], files, hostKey: captured.hostKeys[member] },
  ])
  const moment: KeptMoment = {
    kind,
    from: state.name,
    machines: await eachMember(members, async ({ machine }) => {
      const { binary, version, accelerator } = await context.emulatorOf(machine)
      const emulator = { binary, version, accelerator }
      return { name: machine.name, options: machine[DETAILS].options, emulator }
    }),
    ...(test && { test }),
  }
  const meta = writeMeta(
    {
      owner,
      state: name,
      parent: state.name,
      liveness: 'live',
      members: Object.fromEntries(files),
      ...(files.length > 1 && captured.skew !== undefined && { skew: captured.skew }),
      bases: state.bases,
      parts: {},
      seconds,
      worth: state.worth,
      kept: moment,
    },
    draft.directory,
  )
  const key = keptKey(owner, name)
  const lease = await draft.lease()
  try {
    const former = await keys.idOf(key)
    const { id } = await draft.commit({ key, parents: state.objects, meta })
    await keys.point(key, id)
    // What somebody has stepped into goes with the next collection of garbage.
    if (former !== undefined) await objects.remove(former, { unlessKeyed: true }).catch(() => {})
  } finally {
    await lease.release()
  }
}
