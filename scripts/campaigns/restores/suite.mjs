import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { UserProject } = await jiti.import('../../../test/support/user-project.ts')

const STATES = `
import { image, machine } from 'vitest-vm-states/states'
export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const serving = tiny.live('serving', async (vm) => { await vm.$\`touch /tmp/serving\` })
`

/** It tells what its worker has, every so many tests; resources, not only memory, as files in /proc. */
const TESTS = `
import { appendFileSync, readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, test as base } from 'vitest'
import { vm } from 'vitest-vm-states'
import { serving } from './states.js'

const count = Number(process.env.RESTORES)
const tell = (what: object) => appendFileSync('told', JSON.stringify(what) + '\\n')
let done = 0
let startedAt: number
beforeAll(() => { startedAt = performance.now() })
afterEach(() => {
  done++
  if (done % Math.ceil(count / 20) !== 0) return
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  tell({ done, rss, heapUsed, descriptors: readdirSync('/proc/self/fd').length })
})
afterAll(() => tell({ milliseconds: performance.now() - startedAt }))

const test = base.extend('vm', vm(serving))
test.for(Array.from({ length: count }, (_, index) => index))('%i', { timeout: 60_000 }, async (_, { vm }) => {
  await vm.$\`touch /tmp/mine\`
})
`

const CONFIG = `
import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'
export default defineConfig({
  plugins: [vmStates()],
  test: { execArgv: ['--expose-gc'] },
})
`

/** A project with one file of one-line tests, each on a machine in a live state of 128 MiB. */
export class Suite {
  /** @param {InstanceType<typeof UserProject>} project */
  constructor(project) {
    this.project = project
  }

  static async create() {
    const project = await UserProject.create()
    const files = { 'states.ts': STATES, 'many.test.ts': TESTS, 'vitest.config.ts': CONFIG }
    await project.write(files)
    return new this(project)
  }

  /**
   * Runs the tests.
   *
   * @param {number} restores - how many tests
   * @param {Record<string, string>} [env]
   */
  async run(restores, env = {}) {
    const told = join(this.project.directory, 'told')
    rmSync(told, { force: true })
    const { exitCode, all } = await this.project.start([], {
      RESTORES: String(restores),
      VM_STATES_SUMMARY: 'summary.json',
      ...env,
    })
    if (exitCode !== 0) throw new Error(String(all))
    const lines = readFileSync(told, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { milliseconds } = lines.pop()
    const { states } = JSON.parse(
      readFileSync(join(this.project.directory, 'summary.json'), 'utf8'),
    )
    return { milliseconds, samples: lines, restoreSeconds: states[0].restoreSeconds }
  }
}
