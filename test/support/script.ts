import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const UNPRIVILEGED = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** The absolute path of a file under `src/`, for imports of a script. */
export function sourceFile(path: string): string {
  return join(root, 'src', path)
}

/** How {@link startScript} starts a process. */
export interface ScriptOptions {
  /** Run as an ordinary user, whoever runs the test. */
  unprivileged?: boolean
  /** A command line that starts the process: a namespace with a small disk, for one. */
  prefix?: readonly string[]
  env?: Record<string, string>
}

/** A TypeScript text that runs in a process of its own. */
export interface Script extends AsyncDisposable {
  readonly child: ChildProcess
  /** What it printed, and how it ended. */
  readonly ended: Promise<{ stdout: string; stderr: string; code: number | null }>
}

/**
 * Starts a TypeScript text in a process of its own, so that it can be killed or have other rights.
 *
 * @param source - an ES module; imports sources by the path that {@link sourceFile} gives
 * @param args - `process.argv.slice(2)`
 */
export async function startScript(
  source: string,
  args: readonly string[] = [],
  { unprivileged = false, prefix = [], env = {} }: ScriptOptions = {},
): Promise<Script> {
  const directory = await mkdtemp(join(tmpdir(), 'script-'))
  await chmod(directory, 0o755)
  const file = join(directory, 'script.mts')
  await writeFile(file, source)
  const drop = unprivileged && process.getuid?.() === 0 ? UNPRIVILEGED : []
  const loader = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
  const [program = '', ...rest] = [...drop, ...prefix, process.execPath, loader, file, ...args]
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JITI_FS_CACHE: 'false', ...env },
  })
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const ended = Promise.all([text(child.stdout), text(child.stderr), exit])
    .then(([stdout, stderr, code]) => ({ stdout, stderr, code }))
    .finally(() => rm(directory, { recursive: true, force: true }))
  return {
    child,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs a TypeScript text to its end; see {@link startScript}. */
export async function runScript(
  ...args: Parameters<typeof startScript>
): Promise<Awaited<Script['ended']>> {
  return (await startScript(...args)).ended
}
