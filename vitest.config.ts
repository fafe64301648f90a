import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files of few lines that take long: started last, they would be waited for alone. */
const LONG =
  /\/(?:backends\/crash|docs\/typescript|fixtures\/memory|images\/tiny|keys\/edits|graph\/backends|(?:graph|lock)\/race)\b/

/** What Vitest has not timed before it starts by size, largest first. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
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
