import { stateMissing } from '../../backends/image/state-missing.js'
import type {
  ImageBackend,
  ImageTarget,
  OperationOptions,
  StateRecord,
} from '../../backends/image-backend.js'
import { VmStatesError } from '../../params/errors.js'
import { parse, showValue } from '../../params/parse.js'
import { type Policy, type PolicyOperation, type PolicyWord, resolvePolicy } from './policy.js'

/** Which backend works on what. */
export interface Subject {
  backend: ImageBackend
  target: ImageTarget
  /** The state's tag in the target's images. */
  tag: string
}

/** What a user may say about an operation: the words for each case, and whether it may be ended. */
export interface PolicyOptions extends OperationOptions {
  /** What to do if the state is there. */
  exists?: string | undefined
  /** What to do if it is missing. */
  missing?: string | undefined
}

export interface UnsetStateOptions extends PolicyOptions {
  /** Remove the states that stand on it too. */
  withChildren?: boolean
}

/**
 * Whether something was done. `kept` says that the state was there and stays as it is, `ignored`
 * that a policy said to do nothing.
 */
export type Outcome = 'restored' | 'created' | 'replaced' | 'removed' | 'kept' | 'ignored'

/** The states of a target, oldest first. Changes nothing. */
export function showStates(
  { backend, target }: Omit<Subject, 'tag'>,
  options?: OperationOptions,
): Promise<StateRecord[]> {
  return backend.show(target, options)
}

/** Whether a target has a state. Changes nothing. */
export function checkState(
  { backend, target, tag }: Subject,
  options?: OperationOptions,
): Promise<boolean> {
  return backend.check(target, tag, options)
}

/**
 * Restores a state; what was current is lost.
 *
 * @throws VmStatesError `STATE_MISSING` or `STATE_EXISTS` where a policy says `abort`,
 *   `INVALID_POLICY`, and whatever the backend throws
 */
export async function getState(subject: Subject, options: PolicyOptions = {}): Promise<Outcome> {
  const { word } = await decide('get', subject, options)
  if (word === 'ignore') return 'ignored'
  const { backend, target, tag } = subject
  await backend.get(target, tag, { signal: options.signal })
  return 'restored'
}

/**
 * Keeps the current content as a state.
 *
 * @throws VmStatesError as {@link getState}, and `INVALID_NAME` for a name that states cannot have
 */
export function setState(subject: Subject, options: PolicyOptions = {}): Promise<Outcome> {
  return write('set', subject, options)
}

/**
 * Keeps the current content as a state, by default only if it is a new one.
 *
 * @throws VmStatesError as {@link setState}
 */
export function pushState(subject: Subject, options: PolicyOptions = {}): Promise<Outcome> {
  return write('push', subject, options)
}

/**
 * Removes a state.
 *
 * @throws VmStatesError as {@link getState}, and `STATE_HAS_CHILDREN`
 */
export async function unsetState(
  subject: Subject,
  options: UnsetStateOptions = {},
): Promise<Outcome> {
  const { word } = await decide('unset', subject, options)
  if (word === 'ignore') return 'ignored'
  if (word === 'reuse') return 'kept'
  const { backend, target, tag } = subject
  const { signal, withChildren = false } = options
  await backend.unset(target, tag, { signal, withChildren })
  return 'removed'
}

/**
 * Restores a state and removes it.
 *
 * @throws VmStatesError as {@link unsetState}; where only the removal fails, the state is current
 */
export async function popState(
  subject: Subject,
  options: UnsetStateOptions = {},
): Promise<Outcome> {
  const { word } = await decide('pop', subject, options)
  if (word === 'ignore') return 'ignored'
  const { backend, target, tag } = subject
  const { signal, withChildren = false } = options
  await backend.get(target, tag, { signal })
  await backend.unset(target, tag, { signal, withChildren })
  return 'removed'
}

async function write(
  operation: 'set' | 'push',
  subject: Subject,
  options: PolicyOptions,
): Promise<Outcome> {
  // Imported here, so that commands that only read do not pay for zod.
  const { stateNameSchema } = await import('../../params/names.js')
  parse(stateNameSchema, subject.tag, 'state name', 'INVALID_NAME')
  const { word, exists } = await decide(operation, subject, options)
  if (word === 'reuse') return 'kept'
  const { backend, target, tag } = subject
  await backend.set(target, tag, { signal: options.signal })
  return exists ? 'replaced' : 'created'
}

/** Checks the policy, then looks, and throws where the policy says so; nothing is touched yet. */
async function decide(
  operation: PolicyOperation,
  { backend, target, tag }: Subject,
  options: PolicyOptions,
): Promise<{ word: PolicyWord; exists: boolean }> {
  const policy = resolvePolicy(operation, options)
  if (needsNoLook(operation, policy)) return { word: policy.exists, exists: true }
  const exists = await backend.check(target, tag, { signal: options.signal })
  const word = exists ? policy.exists : policy.missing
  if (word !== 'abort') return { word, exists }
  if (!exists) {
    const hint = `The policy of this ${operation} for a state that is missing is "abort".`
    throw stateMissing(target.disks, tag, hint)
  }
  const files = target.disks.map(({ file }) => file).join(', ')
  throw new VmStatesError('STATE_EXISTS', `${files} has a state ${showValue(tag)} already`, {
    hint: `The policy of this ${operation} for a state that exists is "abort".`,
  })
}

/** Whether the backend itself refuses what the policy does: it looks anyway, and looking costs. */
function needsNoLook(operation: PolicyOperation, { exists, missing }: Policy): boolean {
  const acts = operation === 'unset' ? exists === 'force' : exists === 'reuse'
  return acts && missing === 'abort' && operation !== 'set' && operation !== 'push'
}
