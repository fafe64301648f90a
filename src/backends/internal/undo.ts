import { newNonce } from '../../store/names.js'

const PREFIX = 'vm-states-undo'

/**
 * The tag of a snapshot that holds what was current before an operation on several disks.
 *
 * @param disks - how many the operation is on: one on fewer disks must leave its snapshots alone
 */
export function undoTag(disks: number): string {
  return `${PREFIX}-${disks}-${newNonce()}`
}

/** Whether a tag is one of {@link undoTag}; of an operation on so many disks, if a number is given. */
export function isUndoTag(tag: string, disks?: number): boolean {
  return tag.startsWith(disks === undefined ? `${PREFIX}-` : `${PREFIX}-${disks}-`)
}
