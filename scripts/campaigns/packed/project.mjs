import { execFileSync } from 'node:child_process'
import { chmod, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { makeStoreWithTiny } = await jiti.import('../../../test/support/store-with-tiny.ts')

const root = resolve(import.meta.dirname, '../../..')

/** Of a run that did not get as far as its tests. */
const NO_RESULTS = '{ "testResults": [] }'

/** A project outside of the repository that has the package from a tarball. */
export class PackedProject {
  constructor(directory) {
    this.directory = directory
    this.store = join(directory, 'store')
    this.node = join(directory, 'node_modules/node/bin/node')
  }

  static async create(directory, tarball, { vitest, node }) {
    const project = new PackedProject(directory)
    await cp(join(import.meta.dirname, 'project'), directory, { recursive: true })
    await writeFile(join(directory, 'package.json'), '{ "private": true, "type": "module" }')
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund']
    const packages = [tarball, `vitest@${vitest}`, `@vitest/ui@${vitest}`]
    packages.push(`node@${node}`, `@types/node@${node}`)
    await execa('npm', [...install, ...packages], { cwd: directory })
    await makeStoreWithTiny(project.store)
    await project.write('other-qemu', OTHER_QEMU)
    await chmod(join(directory, 'other-qemu'), 0o755)
    return project
  }

  get nodeVersion() {
    return execFileSync(this.node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
  }

  get vitestVersion() {
    const file = join(this.directory, 'node_modules/vitest/package.json')
    return JSON.parse(execFileSync('cat', [file], { encoding: 'utf8' })).version
  }

  read(path) {
    return readFile(join(this.directory, path), 'utf8')
  }

  write(path, text) {
    return writeFile(join(this.directory, path), text)
  }

  /** Starts Vitest and does not wait. */
  start(args, env = {}) {
    return this.#run(['node_modules/vitest/vitest.mjs', ...args], env)
  }

  /** Runs Vitest: the exit code, what it printed, and its tests with their status by name. */
  async vitest(args, env) {
    await rm(join(this.directory, 'results.json'), { force: true })
    const { exitCode, all } = await this.start(
      ['run', '--reporter=default', '--reporter=json', '--outputFile.json=results.json', ...args],
      env,
    )
    const { testResults } = JSON.parse(await this.read('results.json').catch(() => NO_RESULTS))
    const assertions = testResults.flatMap(({ assertionResults }) => assertionResults)
    const tests = Object.fromEntries(assertions.map(({ title, status }) => [title, status]))
    return { exitCode, output: all, tests }
  }

  /** Runs the command. */
  async states(...args) {
    const { exitCode, stdout, all } = await this.#run([
      'node_modules/vitest-vm-states/dist/cli/bin.js',
      ...args,
    ])
    return { exitCode, stdout, output: all }
  }

  /** Checks the types of the project's files against those of the package. */
  async types() {
    const { exitCode, all } = await this.#run([join(root, 'node_modules/typescript/bin/tsc')])
    return { exitCode, output: all }
  }

  #run(args, env = {}) {
    return execa(this.node, args, {
      cwd: this.directory,
      env: { VM_STATES_STORE: this.store, NO_COLOR: '1', ...env },
      all: true,
      reject: false,
      stdin: 'ignore',
    })
  }
}

/** The host's QEMU under another version. */
const OTHER_QEMU = `#!/bin/sh
[ "$1" = --version ] && { echo 'QEMU emulator version 99.0.1 (ours)'; exit; }
exec qemu-system-x86_64 "$@"
`
