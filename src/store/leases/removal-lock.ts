/** The name of the lock that whoever removes an object holds meanwhile. */
export function removalLock(objectId: string): string {
  return `_remove-${objectId}`
}
