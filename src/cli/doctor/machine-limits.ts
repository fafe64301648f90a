import { formatSize } from '../../params/format-size.js'
import type { MachineLimits } from '../../params/limits.js'
import { describeHolder } from '../../states/admission/describe-wait.js'
import { limitsInForce } from '../../states/admission/limits-in-force.js'
import { openStore } from '../../store/store.js'
import type { Finding } from './finding.js'

/**
 * How much machines may take of this host, and who holds or waits for some of it now.
 *
 * @param store - its directory; holders are not told where it cannot be used
 */
export async function checkMachineLimits(set: MachineLimits, store: string): Promise<Finding> {
  const { memory, machines } = await limitsInForce(set)
  const entries = await openStore(store).then(
    ({ admissions }) => admissions.list(),
    () => [],
  )
  const lines = [
    `machines may take ${formatSize(memory.value)} (${memory.from})`,
    ...(machines ? [`no more than ${machines.value} at once (${machines.from})`] : []),
    ...entries.map(describeHolder),
  ]
  return { name: 'memory', status: 'ok', found: lines.join('; ') }
}
