import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { createJiti } from 'jiti'
import { Suite } from '../run-kill/suite.mjs'

const jiti = createJiti(import.meta.url)
const { forgetStates } = await jiti.import('../../../test/support/forget-states.ts')

// Whoever comes to the place that PARK names tells it, and goes no further.
const STATES = `
import { writeFileSync } from 'node:fs'
import { image, machine } from 'vitest-vm-states/states'

export async function park(where, wait) {
  if (process.env.PARK !== where) return
  writeFileSync('parked', '')
  await wait()
}
export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const serving = tiny.live('serving', async (vm) => {
  await vm.$\`echo ready > /tmp/serving\`
  await park('build', () => vm.$\`sleep 60\`)
})
`

const TESTS = `
import { test as base } from 'vitest'
import { vm } from 'vitest-vm-states'
import { park, serving } from './states.js'

const test = base.extend('vm', vm(serving))
test('works', { timeout: 60_000 }, async ({ vm }) => {
  await vm.$\`cat /tmp/serving\`
  await park('guest', () => vm.$\`sleep 60\`)
  await park('host', () => new Promise((resolve) => setTimeout(resolve, 60_000)))
  await park('loop', () => { for (;;); })
})
`

const VITEST_CONFIG = `
import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'
const gracefulExit = process.env.GRACEFUL_EXIT === 'true'
export default defineConfig({ plugins: [vmStates({ gracefulExit })] })
`

const STATES_CONFIG = `
import { defineConfig } from 'vitest-vm-states/states'
export default defineConfig({ states: './states.ts' })
`

const FILES = {
  'states.ts': STATES,
  'a.test.ts': TESTS,
  'vitest.config.ts': VITEST_CONFIG,
  'states.config.ts': STATES_CONFIG,
}

/** A project with one test, which goes no further than where it is told to. */
export class InterruptibleSuite extends Suite {
  #node = process.execPath

  static open() {
    return InterruptibleSuite.create(FILES)
  }

  /** Has the project use the Vitest, and the Node, that npm has installed in a directory. */
  useVitestOf(directory) {
    const link = this.path('node_modules/vitest')
    rmSync(link)
    symlinkSync(resolve(directory, 'node_modules/vitest'), link)
    const node = resolve(directory, 'node_modules/node/bin/node')
    if (existsSync(node)) this.#node = node
  }

  get versions() {
    const { version } = JSON.parse(
      readFileSync(this.path('node_modules/vitest/package.json'), 'utf8'),
    )
    return `Vitest ${version}, ${this.#node}`
  }

  /** Starts the test; resolves when it is where it goes no further, or has ended before. */
  async startAndPark({ pool, where, gracefulExit }) {
    rmSync(this.path('parked'), { force: true })
    if (where === 'build') await forgetStates(this.store)
    const script = this.path('node_modules/vitest/vitest.mjs')
    const env = { PARK: where, GRACEFUL_EXIT: String(gracefulExit) }
    const run = this.start(script, ['run', `--pool=${pool}`], { node: this.#node, env })
    while (!existsSync(this.path('parked'))) {
      if (run.child.exitCode !== null) throw new Error(`ended too early: ${run.output()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return run
  }
}
