import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What takes longest, in the order in which it is started: last, it would be waited for alone. Only one of the first
 * needs the Debian guest, which the first that asks for it builds.
 */
const LONG = [
  'states/machines/ssh',
  'guest/faults',
  'fixtures/memory',
  'backends/crash/crash',
  'guest/channel/channels',
  'states/machines/cloud-init',
  'states/machines/console-guest',
  'guest/console/shell/debian',
  'support/debian/guest',
  'guest/console/channel/console-channel',
  'docs/typescript',
  'images/tiny/guest',
  'states/keys/edits/edits',
  'states/graph/backends',
  'states/graph/race/race',
  'store/lock/race',
].map((name) => `/test/${name}.`)

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex((name) => moduleId.includes(name))
  return place === -1 ? LONG.length : place
}

/** What Vitest has not timed before it starts by size, largest first. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // More than cores: tests wait for guests, locks and deadlines half of their time.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
