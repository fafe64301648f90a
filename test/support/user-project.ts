import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { execa, type ResultPromise } from 'execa'
import { makeStoreWithTiny } from './store-with-tiny.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The outcome of a run of Vitest in a {@link UserProject}. */
export interface ProjectRun {
  exitCode: number | undefined
  /** What it printed. */
  output: string
  /** The tests by name. */
  tests: Map<string, { status: string; messages: string }>
}

/** A directory as a user of the built package has it, with a store that has the built-in guest. */
export class UserProject {
  readonly directory: string
  readonly store: string

  private constructor(directory: string) {
    this.directory = directory
    this.store = join(directory, 'store')
  }

  static async create(): Promise<UserProject> {
    const project = new UserProject(await mkdtemp(join(tmpdir(), 'vms-project-')))
    await project.#install()
    await makeStoreWithTiny(project.store)
    return project
  }

  /** Writes files, by their paths in the project. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.directory, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
  }

  /** Starts Vitest and does not wait. */
  start(args: readonly string[] = [], env: Record<string, string> = {}): ResultPromise {
    return this.#vitest(['run', '--reporter=verbose', ...args], env)
  }

  /** Starts Vitest as a terminal does: in a group of processes that Ctrl-C reaches as a whole. */
  startInGroup(): ResultPromise {
    return this.#vitest(['run'], {}, { detached: true })
  }

  /** Starts Vitest in watch mode. */
  watch(): ResultPromise {
    return this.#vitest(['watch'])
  }

  #vitest(
    args: readonly string[],
    env: Record<string, string> = {},
    { detached = false } = {},
  ): ResultPromise {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    return execa(process.execPath, [vitest, ...args], {
      cwd: this.directory,
      // A run that is killed leaves its temporary files behind.
      env: { VM_STATES_STORE: this.store, TMPDIR: this.directory, NO_COLOR: '1', ...env },
      all: true,
      reject: false,
      detached,
    })
  }

  /** Runs Vitest. */
  async run(args: readonly string[] = [], env: Record<string, string> = {}): Promise<ProjectRun> {
    const results = join(this.directory, 'results.json')
    await rm(results, { force: true })
    const run = this.start(['--reporter=json', `--outputFile.json=${results}`, ...args], env)
    const { exitCode, all } = await run
    return { exitCode, output: String(all), tests: await readResults(results) }
  }

  /** Runs the project's own `states` command. */
  async states(...args: string[]) {
    const bin = join(this.directory, 'node_modules/vitest-vm-states/dist/cli/bin.js')
    return await execa(process.execPath, [bin, ...args], {
      cwd: this.directory,
      env: { VM_STATES_STORE: this.store, NO_COLOR: '1' },
      reject: false,
    })
  }

  /** The pids of QEMUs and their tools that run on the project's store. */
  machines(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const commandLine = readCommandLine(pid)
        return commandLine.includes(this.store) && /qemu/.test(commandLine)
      })
      .map(Number)
  }

  /** Command lines of all that runs and was started by the project's Vitest. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => readProcess(pid, 'environ').includes(`VM_STATES_STORE=${this.store}\0`))
      .map((pid) => `${pid} ${readCommandLine(pid)}`)
  }

  /** Command lines of the {@link machines}. */
  leftovers(): string[] {
    return this.machines().map((pid) => readCommandLine(String(pid)))
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Copied, not linked: Vitest judges by the real path what is the user's code. */
  async #install(): Promise<void> {
    const modules = join(this.directory, 'node_modules')
    const target = join(modules, 'vitest-vm-states')
    await mkdir(target, { recursive: true })
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (name.startsWith('.')) continue
      await symlink(join(root, 'node_modules', name), join(modules, name))
    }
    await copyFile(join(root, 'package.json'), join(target, 'package.json'))
    const dist = join(target, 'dist')
    // Half of what Node's cp() takes.
    if (isBuilt()) await promisify(execFile)('cp', ['-r', join(root, 'dist'), dist])
    else await build(dist)
    await writeFile(join(this.directory, 'package.json'), '{ "type": "module" }')
  }
}

async function readResults(file: string): Promise<ProjectRun['tests']> {
  if (!existsSync(file)) return new Map()
  const { testResults } = JSON.parse(await readFile(file, 'utf8')) as {
    testResults: {
      assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
    }[]
  }
  return new Map(
    testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .map(({ fullName, status, failureMessages }) => [
        fullName.trim(),
        { status, messages: failureMessages.join('\n') },
      ]),
  )
}

function readCommandLine(pid: string): string {
  return readProcess(pid, 'cmdline').replaceAll('\0', ' ')
}

/** Empty for a process that has ended, a zombie, or one of another user. */
function readProcess(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Whether dist/ is what src/ would give, as it is after `npm run build`. */
function isBuilt(): boolean {
  const entry = join(root, 'dist/index.js')
  if (!existsSync(entry)) return false
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  const newest = Math.max(
    ...sources.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs),
  )
  return statSync(entry).mtimeMs > newest
}

async function build(directory: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', directory]
  await promisify(execFile)(process.execPath, args)
}
