import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { State } from '../../src/states/definitions/types.js'
import { ensure } from '../../src/states/graph/ensure.js'
import { UserProject } from '../../test/support/user-project.js'
import { ByHand } from './by-hand.js'
import { inEmergency } from './children.js'
import { type Configuration, DEBIAN, nameOf, statesModule, titleOf } from './configuration.js'
import type { Laboratory } from './laboratory.js'
import { forkByHand } from './restores.js'
import { runInTurn, stopwatch } from './samples.js'

/** How many tests boot a guest that takes half a minute for it. */
const SLOW_BOOTS = 5

/** How many one-line tests a suite is meant to have. */
const TESTS = 200

/** Milliseconds that a test takes, so that the next machine stands by before it is asked for. */
const LONG_TEST = 1500

/** With room for one machine alone, none can stand by. */
const WITHOUT_STANDBY = { VM_STATES_MAX_MACHINES: '1' }

/** What the tests of a project wrote down, in milliseconds. */
interface Times {
  /** From before the fixture to the first line. */
  waits: number[]
  /** When first lines ran. */
  lines: number[]
}

interface Suite {
  /** The name of a state in the module of states. */
  state: string
  tests: number
  /** Milliseconds that each test takes besides. */
  pause?: number
  environment?: Record<string, string>
}

/** A project of a user of the package, with tests on the laboratory's states. */
export class Suites implements AsyncDisposable {
  readonly #project: UserProject
  readonly #laboratory: Laboratory

  private constructor(project: UserProject, laboratory: Laboratory) {
    this.#project = project
    this.#laboratory = laboratory
  }

  static async create(
    laboratory: Laboratory,
    configurations: readonly Configuration[],
  ): Promise<Suites> {
    const project = await UserProject.create()
    inEmergency(() => rmSync(project.directory, { recursive: true, force: true }))
    await project.write({
      'states.ts': statesModule(configurations, {
        entry: 'vitest-vm-states/states',
        disk: laboratory.disk,
      }),
      'vitest.config.ts': `import { vmStates } from 'vitest-vm-states/plugin'
export default { plugins: [vmStates()], test: { testTimeout: 120_000, maxWorkers: 1 } }`,
      'suite.test.ts': `import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeEach, test as base } from 'vitest'
import { vm as machineIn } from 'vitest-vm-states'
import * as states from './states.js'

const { BENCH_STATE, BENCH_TESTS, BENCH_PAUSE, BENCH_TIMES } = process.env
const test = base.extend('vm', machineIn(states[BENCH_STATE].root ?? states[BENCH_STATE]))
const [waits, lines] = [[], []]
let asked = 0
beforeEach(() => {
  asked = performance.now()
})
for (let index = 0; index < Number(BENCH_TESTS); index += 1) {
  test(String(index), async ({ vm }) => {
    const line = performance.now()
    waits.push(line - asked)
    lines.push(line)
    await vm.$\`true\`
    if (BENCH_PAUSE !== '0') await delay(Number(BENCH_PAUSE))
  })
}
afterAll(() => writeFileSync(BENCH_TIMES, JSON.stringify({ waits, lines })))
`,
    })
    return new Suites(project, laboratory)
  }

  /** Times a whole run of {@link TESTS} tests; with fewer, what the others take is added. */
  async measure(name: string, suite: Suite): Promise<void> {
    const { samples } = this.#laboratory
    // So that the state is there.
    await this.#run({ ...suite, tests: 1 })
    const { whole, times } = await this.#run(suite)
    const steps = times.lines.slice(1).map((line, index) => line - (times.lines[index] as number))
    for (const step of steps) samples.add(`suite/${name}/each`, step)
    const each = samples.median(`suite/${name}/each`) ?? 0
    samples.add(`suite/${name}/whole`, whole + Math.max(0, TESTS - suite.tests) * each)
    process.stderr.write(`  suite/${name}: ${whole.toFixed(0)} ms, ${each.toFixed(1)} ms a test\n`)
  }

  /** From a fixture's request to a test's first line, against the same by hand. */
  async measureFixture(configuration: Configuration, rounds: number): Promise<void> {
    const { context, definitions, directory, samples } = this.#laboratory
    const name = `${nameOf(configuration)}_fork`
    const state = definitions[name] as State
    const available = await ensure(state, context)
    const place = join(directory, 'fixture-by-hand')
    const byHand = await ByHand.of(state, available, { context, directory: place })
    const courses = [
      forkByHand('cold by hand', byHand, false),
      forkByHand('standby by hand', byHand, true),
    ]
    await runInTurn('fixture', courses, this.#laboratory)
    await byHand.tidy()
    const pause = LONG_TEST
    const ways = { cold: `${nameOf(configuration)}_alone`, standby: name }
    for (const [way, state] of Object.entries(ways)) {
      const { times } = await this.#run({ state, tests: rounds + 1, pause })
      for (const wait of times.waits.slice(1)) samples.add(`fixture/${way}/right`, wait)
      const median = samples.median(`fixture/${way}/right`)
      process.stderr.write(`  fixture/${way}: first line ${median?.toFixed(1)} ms\n`)
    }
    await available.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#project.remove()
  }

  async #run(suite: Suite): Promise<{ whole: number; times: Times }> {
    const { directory, store } = this.#laboratory
    const file = join(directory, 'times.json')
    const elapsed = stopwatch()
    const { exitCode, output } = await this.#project.run([], {
      VM_STATES_STORE: store,
      BENCH_STATE: suite.state,
      BENCH_TESTS: String(suite.tests),
      BENCH_PAUSE: String(suite.pause ?? 0),
      BENCH_TIMES: file,
      ...suite.environment,
    })
    if (exitCode !== 0) throw new Error(`the suite of ${suite.state}: ${output}`)
    return { whole: elapsed(), times: JSON.parse(await readFile(file, 'utf8')) as Times }
  }
}

/** What {@link Suites.measure} is to run: by names that the promises know. */
export function suitesOf(
  small: Configuration,
  large: Configuration | undefined,
  rounds: number,
): [name: string, suite: Suite][] {
  const many = rounds >= 20 ? TESTS : rounds
  const few = Math.min(rounds, 20)
  const [title, name] = ['512 MiB', nameOf(small)]
  const suites: [string, Suite][] = [
    [`${title}/fork`, { state: `${name}_fork`, tests: many }],
    [
      `${title}/fork without standby`,
      { state: `${name}_fork`, tests: many, environment: WITHOUT_STANDBY },
    ],
    [`${title}/live`, { state: `${name}_live`, tests: many }],
    [`${title}/boot`, { state: `${name}_cold`, tests: few }],
    [`Debian 12/fork`, { state: `${DEBIAN}_fork`, tests: many }],
    [`Debian 12/live`, { state: `${DEBIAN}_live`, tests: many }],
    [`Debian 12/boot`, { state: `${DEBIAN}_cold`, tests: Math.min(few, SLOW_BOOTS) }],
  ]
  if (large === undefined) return suites
  return [
    ...suites,
    [`${titleOf(large)}/fork`, { state: `${nameOf(large)}_fork`, tests: many }],
    [`${titleOf(large)}/live`, { state: `${nameOf(large)}_live`, tests: few }],
  ]
}
