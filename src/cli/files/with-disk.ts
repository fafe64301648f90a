import { readBackingChain } from '../../images/backing-chain.js'
import { IMAGE_DISK_NAME } from '../../params/drives.js'
import { VmStatesError } from '../../params/errors.js'
import { loadConfig } from '../../params/load-config.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { type AnyState, DETAILS, ONLY_MEMBER } from '../../states/definitions/types.js'
import type { Context as StatesContext } from '../../states/graph/context.js'
import { ensure } from '../../states/graph/ensure.js'
import { withContext } from '../defined/with-context.js'
import { withState } from '../defined/with-state.js'
import type { Context } from '../report.js'
import type { DefinedState, Target } from '../targets/target.js'

/** The disk of an image, as it is. */
export async function withImageDisk<Result>(
  file: string,
  command: Context,
  use: (name: string, disk: Disk, context: StatesContext) => Promise<Result>,
): Promise<Result> {
  const chain = await readBackingChain(file, undefined)
  const config = await loadConfig()
  const options = { build: config.build }
  return await withContext({ config }, options, command, (context) => {
    const { format } = chain[0] ?? { format: 'qcow2' }
    return use(file, { name: IMAGE_DISK_NAME, file, format }, context)
  })
}

/**
 * A disk state of one machine, by its definition.
 *
 * @throws VmStatesError `STATE_IS_LIVE`, `USAGE` for a state of an environment
 */
export async function withDiskState<Result>(
  target: DefinedState,
  command: Context,
  use: (name: string, state: AnyState, context: StatesContext) => Promise<Result>,
): Promise<Result> {
  const build = (config: { build: 'missing' | 'never' }) => config.build
  return await withState(target, { build }, command, async ({ name, state, booted, context }) => {
    if (booted || state.liveness === 'live') {
      throw new VmStatesError('STATE_IS_LIVE', `${name} is a live state: files of it are in RAM`, {
        hint: 'Take a disk state, or start it: states run.',
      })
    }
    if (state[DETAILS].kind !== 'state') {
      throw new VmStatesError('USAGE', `${name} is of several machines`, {
        hint: 'Take a state of one of them.',
      })
    }
    return await use(name, state, context)
  })
}

/** The disk that a command reads from: of an image, or the first of a state. */
export async function withDisk<Result>(
  target: Target,
  command: Context,
  use: (name: string, disk: Disk, context: StatesContext) => Promise<Result>,
): Promise<Result> {
  if (target.kind === 'image') return await withImageDisk(target.file, command, use)
  return await withDiskState(target, command, async (name, state, context) => {
    const available = await ensure(state, context, { signal: command.signal })
    try {
      const disks = available.members[ONLY_MEMBER]?.files.disks ?? []
      const disk = disks.find((one) => one.name === IMAGE_DISK_NAME)
      if (disk === undefined) throw new Error(`${name} has no disk of an image`)
      return await use(name, disk, context)
    } finally {
      await available.release()
    }
  })
}
