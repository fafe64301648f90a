import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach } from 'vitest'

/** The built command: `npm run build` makes it. */
export const BIN = resolve(import.meta.dirname, '../../dist/cli/bin.js')

export interface RunOptions {
  cwd?: string
  env?: Record<string, string | undefined>
  /** For its standard input; nothing unless given. */
  input?: string
}

/** A directory for each test of a file, which is also the home of its commands. */
export function useWorkplace() {
  let directory = ''
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'vm-states-cli-')))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })
  return {
    /** Absolute path of a file there. */
    path: (name: string) => join(directory, name),

    /** Starts the built `states` command there, to be awaited or killed. */
    start(args: readonly string[], { cwd = directory, env = {}, input }: RunOptions = {}) {
      const home = { HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') }
      return execa(process.execPath, [BIN, ...args], {
        cwd,
        env: { ...home, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
        ...(input === undefined ? { stdin: 'ignore' } : { input }),
        reject: false,
      })
    },

    /** Runs the built `states` command there. */
    async states(args: readonly string[], options?: RunOptions) {
      const { exitCode, stdout, stderr } = await this.start(args, options)
      return { exitCode, stdout, stderr: withoutProgress(stderr) }
    },
  }
}

/** What a command says of its progress depends on how busy the host is. */
function withoutProgress(stderr: string): string {
  const lines = stderr.split('\n')
  return lines.filter((line) => !line.endsWith(' …')).join('\n')
}

/** The JSON that a command printed. */
export function json({ stdout }: { stdout: string }): unknown {
  return JSON.parse(stdout)
}
