import type { Accelerator } from '../../qemu/accelerator/accelerator.js'
import type { Store } from '../../store/store.js'
import { type AnyState, DETAILS, type MachineDefinition } from '../definitions/types.js'
import type { BuildTask } from './build-task.js'
import type { Context } from './context.js'
import { readMeta, type StateMeta } from './state-meta.js'

/** A live state of the store, whichever QEMU it is for. */
export interface LiveBuild {
  key: string
  meta: StateMeta
}

interface EmulatorPart {
  version: string
  accelerator: Accelerator
}

/** Every live state and kept boot of a store that was built, oldest first. */
export async function readLiveBuilds({ objects }: Store): Promise<LiveBuild[]> {
  return (await objects.list()).flatMap((object): LiveBuild[] => {
    const meta = readMeta(object)
    const isBuilt = meta?.liveness === 'live' && meta.kept === undefined
    return isBuilt ? [{ key: object.manifest.key, meta }] : []
  })
}

/**
 * The last build that is the same as a task in all but the QEMU that it was made with. Device state
 * loads only into the version that saved it, so nobody may use it here.
 */
export async function findForeignBuild(
  { state, definition, key }: BuildTask,
  builds: readonly LiveBuild[],
  context: Context,
): Promise<LiveBuild | undefined> {
  const own = JSON.stringify(key.parts.emulator)
  const others = new Map<string, LiveBuild[]>()
  for (const build of builds) {
    const emulator = JSON.stringify(build.meta.parts.emulator)
    if (emulator === own || build.meta.state !== state) continue
    others.set(emulator, [...(others.get(emulator) ?? []), build])
  }
  let last: LiveBuild | undefined
  for (const [emulator, made] of others) {
    const emulatorOf = emulatorsOf(definition, JSON.parse(emulator))
    const foreign = await context.foreignKeyOf(definition, state === 'boot', emulatorOf)
    last = made.findLast((build) => build.key === foreign.key) ?? last
  }
  return last
}

/** What ran the machines of a state, by the part of its key. */
function emulatorsOf(
  state: AnyState,
  part: EmulatorPart | Readonly<Record<string, EmulatorPart>>,
): (machine: MachineDefinition) => Promise<EmulatorPart> {
  const { kind, members } = state[DETAILS]
  const byMachine = new Map(
    Object.entries(members).map(([member, { machine }]) => [
      machine,
      (kind === 'state' ? part : (part as Record<string, EmulatorPart>)[member]) as EmulatorPart,
    ]),
  )
  const unknown: EmulatorPart = { version: '', accelerator: 'tcg' }
  return async (machine) => byMachine.get(machine) ?? unknown
}

/** The part of a key that says what runs machines, as people say it: `QEMU 7.2.22 (tcg)`. */
export function showEmulator(part: unknown): string {
  const all = Object.values(part as Record<string, unknown>)
  const parts = all.every((each) => typeof each === 'object') ? all : [part]
  const texts = (parts as EmulatorPart[]).map(
    ({ version, accelerator }) => `QEMU ${version} (${accelerator})`,
  )
  return [...new Set(texts)].join(' and ')
}
