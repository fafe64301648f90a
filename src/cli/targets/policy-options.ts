import type { UnsetStateOptions } from '../../states/policies/operations.js'

/** The policies as options of the command line. */
export interface PolicyFlags {
  onExists?: string
  onMissing?: string
  withChildren?: boolean
}

/** The policies as the operations take them. */
export function policyOptions(flags: PolicyFlags, signal: AbortSignal): UnsetStateOptions {
  const { onExists, onMissing, withChildren = false } = flags
  return { exists: onExists, missing: onMissing, withChildren, signal }
}
