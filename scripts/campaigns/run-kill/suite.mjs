import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'
import { processesWith } from './processes.mjs'

const jiti = createJiti(import.meta.url)
const { UserProject } = await jiti.import('../../../test/support/user-project.ts')

const VITEST = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))

/** Set for every process that the campaign starts, and inherited by what those start. */
const MARK = 'RUN_KILL_CAMPAIGN'

const STATES = `
import { image, machine } from 'vitest-vm-states/states'

export const tiny = machine('tiny', { image: image.tiny(), memory: '128 MiB' })
export const base = tiny.state('base', (vm) => vm.writeFile('/srv-base', 'base'))
export const page = base.state('page', (vm) => vm.writeFile('/srv-page', 'page'))
export const serving = page.live('serving', async (vm) => {
  await vm.$\`echo ready > /tmp/serving\`
})
`

const TESTS = `
import { test as base, expect } from 'vitest'
import { vm } from 'vitest-vm-states'
import { serving } from './states.js'

const test = base.extend('vm', vm(serving))

test.for([1, 2, 3, 4])('is fresh %i', { timeout: 30_000 }, async (index, { vm }) => {
  expect((await vm.$\`cat /tmp/serving /srv-base /srv-page; ls /tmp\`).stdout).toBe('ready\\nbasepageserving')
  await vm.$\`echo \${index} > /tmp/mine; echo changed > /srv-page; sync\`
})
`

/** Tests in the two files of the suite. */
export const TESTS_IN_ALL = 8

const VITEST_CONFIG = `
import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'
export default defineConfig({ plugins: [vmStates()] })
`

const STATES_CONFIG = `
import { defineConfig } from 'vitest-vm-states/states'
export default defineConfig({ states: './states.ts' })
`

const FILES = {
  'states.ts': STATES,
  'a.test.ts': TESTS,
  'b.test.ts': TESTS,
  'vitest.config.ts': VITEST_CONFIG,
  'states.config.ts': STATES_CONFIG,
}

/** A project with a chain of three states, and two files of tests for two workers. */
export class Suite {
  /** @param {InstanceType<typeof UserProject>} project */
  constructor(project) {
    this.project = project
    this.store = project.store
    this.temporary = this.path('tmp')
    this.mark = `${MARK}=${project.directory}`
  }

  /** @param {Record<string, string>} files - texts by their paths in the project */
  static async create(files = FILES) {
    const project = await UserProject.create()
    await project.write(files)
    const suite = new this(project)
    mkdirSync(suite.temporary)
    return suite
  }

  /** The absolute path of a file of the project. */
  path(name) {
    return join(this.project.directory, name)
  }

  /** A process, in a group of its own so that all of it can be interrupted. */
  start(script, args, { node = process.execPath, env = {} } = {}) {
    const { directory } = this.project
    const child = spawn(node, [script, ...args], {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        [MARK]: directory,
        VM_STATES_STORE: this.store,
        TMPDIR: this.temporary,
        XDG_CACHE_HOME: this.path('cache'),
        NO_COLOR: '1',
        ...env,
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += data
      })
    }
    const startedAt = performance.now()
    const ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal, milliseconds: performance.now() - startedAt })
      })
    })
    return { child, startedAt, ended, output: () => output }
  }

  startTests() {
    rmSync(this.#report, { force: true })
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${this.#report}`]
    return this.start(VITEST, ['run', '--maxWorkers=2', ...reporters])
  }

  startStates(...args) {
    const bin = this.path('node_modules/vitest-vm-states/dist/cli/bin.js')
    return this.start(bin, args)
  }

  /** How many tests the last run says have passed. */
  passed() {
    try {
      return JSON.parse(readFileSync(this.#report, 'utf8')).numPassedTests
    } catch {
      return 0
    }
  }

  /** Everything that the campaign has started and that still runs. */
  processes() {
    return processesWith(this.mark)
  }

  /** The end of the serial console of every machine that runs, for a run that takes too long. */
  consoles() {
    const runs = join(this.store, 'runs')
    return readdirSync(runs, { recursive: true, encoding: 'utf8' })
      .filter((path) => basename(path) === 'console.log')
      .map((path) => `${path}: ${readFileSync(join(runs, path), 'latin1').slice(-1500)}`)
  }

  async remove() {
    for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL')
    await this.project.remove()
  }

  get #report() {
    return this.path('report.json')
  }
}
