import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'

/** What to do if a state is there already, or is missing; the words of avocado-i2n. */
export type PolicyWord = 'reuse' | 'force' | 'abort' | 'ignore'

/** The operations that a policy is for. */
export type PolicyOperation = 'get' | 'set' | 'unset' | 'push' | 'pop'

/** A word for each case. */
export interface Policy {
  /** If the state is there. */
  exists: PolicyWord
  /** If it is missing. */
  missing: PolicyWord
}

interface PolicyRule {
  exists: { words: readonly PolicyWord[]; byDefault: PolicyWord }
  missing: { words: readonly PolicyWord[]; byDefault: PolicyWord }
}

/**
 * Which words each operation knows and which it takes when none is given. They are the ones of
 * avocado-i2n's `get_mode`, `set_mode` and `unset_mode`; `push` is a `set`, and `pop` is a `get`
 * followed by an `unset`, each with its own.
 *
 * get: `reuse` restores it, `ignore` does nothing, `abort` fails.
 * set: `reuse` keeps the one that is there, `force` writes, `abort` fails.
 * unset: `reuse` keeps it, `force` removes it; `ignore` does nothing, `abort` fails.
 */
const RULES: Readonly<Record<PolicyOperation, PolicyRule>> = {
  get: {
    exists: { words: ['reuse', 'abort', 'ignore'], byDefault: 'reuse' },
    missing: { words: ['abort', 'ignore'], byDefault: 'abort' },
  },
  set: {
    exists: { words: ['force', 'reuse', 'abort'], byDefault: 'force' },
    missing: { words: ['force', 'abort'], byDefault: 'force' },
  },
  unset: {
    exists: { words: ['force', 'reuse'], byDefault: 'force' },
    missing: { words: ['ignore', 'abort'], byDefault: 'ignore' },
  },
  push: {
    exists: { words: ['abort', 'reuse', 'force'], byDefault: 'abort' },
    missing: { words: ['force', 'abort'], byDefault: 'force' },
  },
  pop: {
    exists: { words: ['reuse', 'abort', 'ignore'], byDefault: 'reuse' },
    missing: { words: ['abort', 'ignore'], byDefault: 'abort' },
  },
}

/** The operations on an image's root that a policy is for. */
export type RootOperation = 'get' | 'set' | 'unset'

/**
 * The same for an image's root, but that an image which is there is never replaced or removed by
 * default: avocado-i2n's images are made by its tests, these may be a user's only ones.
 */
const ROOT_RULES: Readonly<Record<RootOperation, PolicyRule>> = {
  get: RULES.get,
  set: {
    exists: { words: ['abort', 'reuse', 'force'], byDefault: 'abort' },
    missing: RULES.set.missing,
  },
  unset: {
    exists: { words: ['abort', 'reuse', 'force'], byDefault: 'abort' },
    missing: RULES.unset.missing,
  },
}

/** The words that a user gave for an operation, for either case or none. */
interface GivenPolicy {
  readonly exists?: string | undefined
  readonly missing?: string | undefined
}

/**
 * Fills in an operation's defaults and checks both words, also that of the case which will not
 * arise.
 *
 * @throws VmStatesError `INVALID_POLICY` if the operation does not know a word
 */
export function resolvePolicy(operation: PolicyOperation, given: GivenPolicy = {}): Policy {
  return choose(operation, RULES[operation], given)
}

/** As {@link resolvePolicy}, for an operation on an image's root. */
export function resolveRootPolicy(operation: RootOperation, given: GivenPolicy = {}): Policy {
  return choose(operation, ROOT_RULES[operation], given)
}

function choose(operation: PolicyOperation, rule: PolicyRule, given: GivenPolicy): Policy {
  return {
    exists: chooseWord(operation, 'exists', given.exists, rule.exists),
    missing: chooseWord(operation, 'missing', given.missing, rule.missing),
  }
}

function chooseWord(
  operation: PolicyOperation,
  branch: keyof Policy,
  given: string | undefined,
  { words, byDefault }: PolicyRule['exists'],
): PolicyWord {
  if (given === undefined) return byDefault
  const word = words.find((word) => word === given)
  if (word !== undefined) return word
  throw new VmStatesError(
    'INVALID_POLICY',
    `${operation} does not know the policy ${showValue(given)} for a state that ${branch === 'exists' ? 'exists' : 'is missing'}: it is one of ${words.join(', ')}`,
  )
}
