import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** The root of a store that all tests of this user share; it outlives them. */
export function sharedStoreRoot(): string {
  return join(tmpdir(), `vm-states-test-${userInfo().uid}`, 'store')
}
