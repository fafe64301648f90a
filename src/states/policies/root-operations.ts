import { checkRoot, getRoot, hasAnyImage, setRoot, unsetRoot } from '../../backends/image/root.js'
import { stateMissing } from '../../backends/image/state-missing.js'
import type { ImageTarget } from '../../backends/image-backend.js'
import { VmStatesError } from '../../params/errors.js'
import type { Outcome, PolicyOptions, UnsetStateOptions } from './operations.js'
import { type PolicyWord, type RootOperation, resolveRootPolicy } from './policy.js'

/** What was done; a root is never restored, since it is the images as they are. */
export type RootOutcome = Exclude<Outcome, 'restored'>

/** What {@link setRootState} is told besides its policy. */
export interface SetRootStateOptions extends PolicyOptions {
  /** Bytes of each disk. */
  size: number
}

/**
 * Makes sure that the images are there and can be used. Their content stays as it is.
 *
 * @throws VmStatesError `STATE_MISSING` or `STATE_EXISTS` where a policy says `abort`,
 *   `INVALID_POLICY`, `IMAGE_DAMAGED`, `IMAGE_IN_USE`
 */
export async function getRootState(
  target: ImageTarget,
  options: PolicyOptions = {},
): Promise<RootOutcome> {
  const { word } = await decide('get', target, options, checkRoot)
  if (word === 'ignore') return 'ignored'
  await getRoot(target, { signal: options.signal })
  return 'kept'
}

/**
 * Makes blank images. One that is there is replaced only by the policy `force`.
 *
 * @throws VmStatesError as {@link getRootState}, and `STATE_HAS_CHILDREN`
 */
export async function setRootState(
  target: ImageTarget,
  { size, ...options }: SetRootStateOptions,
): Promise<RootOutcome> {
  const { word, exists } = await decide('set', target, options, hasAnyImage)
  if (word === 'reuse') return 'kept'
  await setRoot(target, size, { signal: options.signal, replace: exists })
  return exists ? 'replaced' : 'created'
}

/**
 * Removes the images, only by the policy `force`.
 *
 * @throws VmStatesError as {@link getRootState}, and `STATE_HAS_CHILDREN` if they have states that
 *   are not to go with them
 */
export async function unsetRootState(
  target: ImageTarget,
  { withChildren = false, ...options }: UnsetStateOptions = {},
): Promise<RootOutcome> {
  const { word } = await decide('unset', target, options, hasAnyImage)
  if (word === 'ignore') return 'ignored'
  if (word === 'reuse') return 'kept'
  await unsetRoot(target, { signal: options.signal, withChildren })
  return 'removed'
}

async function decide(
  operation: RootOperation,
  target: ImageTarget,
  options: PolicyOptions,
  look: (target: ImageTarget) => Promise<boolean>,
): Promise<{ word: PolicyWord; exists: boolean }> {
  const policy = resolveRootPolicy(operation, options)
  const exists = await look(target)
  const word = exists ? policy.exists : policy.missing
  if (word !== 'abort') return { word, exists }
  if (!exists) {
    const hint = `The policy of this ${operation} for a root that is missing is "abort".`
    throw stateMissing(target.disks, 'root', hint)
  }
  const files = target.disks.map(({ file }) => file).join(', ')
  const losing = operation === 'get' ? '' : ' To lose what it holds, say --on-exists force.'
  throw new VmStatesError('STATE_EXISTS', `${files}: the root is the image itself, which exists`, {
    hint: `The policy of this ${operation} for a root that exists is "abort".${losing}`,
  })
}
