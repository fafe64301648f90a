import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Actions } from './worker.js'

/** Runs a process as PID 1 of a new namespace; an ordinary user needs a user namespace for that. */
export const inOwnPidNamespace: readonly string[] = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
]

interface Line {
  result?: unknown
  error?: string
  code?: string
  overlap?: string
  acquired?: true
}

/** An error that a worker answered with. */
class WorkerError extends Error {
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

/** Another process that uses a store. */
export class WorkerProcess implements AsyncDisposable {
  readonly overlaps: string[] = []
  acquired = 0
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #settle: ((line: Line) => void) | undefined

  constructor(program: string, store: string, prefix: readonly string[] = []) {
    const command = [...prefix, process.execPath, program, store]
    this.#child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#child, 'exit')
    this.#child.stdin?.on('error', () => {})
    if (this.#child.stdout === null) throw new Error('no pipe')
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line))
    void this.#exited.then(() => this.#settle?.({ error: 'the worker ended', code: 'ENDED' }))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Lets the process do something, and waits for it; one thing at a time. */
  async call<Name extends keyof Actions>(
    action: Name,
    ...args: Parameters<Actions[Name]>
  ): Promise<Awaited<ReturnType<Actions[Name]>>> {
    const answer = new Promise<Line>((resolve) => {
      this.#settle = resolve
    })
    this.#child.stdin?.write(`${JSON.stringify({ action, args })}\n`)
    const { result, error, code } = await answer
    if (error !== undefined) throw new WorkerError(error, code)
    return result as Awaited<ReturnType<Actions[Name]>>
  }

  /** Sends a signal, and for one that kills waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal)
    if (signal === 'SIGKILL') await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill()
  }

  #read(text: string): void {
    const line = JSON.parse(text) as Line
    if (line.overlap !== undefined) this.overlaps.push(line.overlap)
    else if (line.acquired) this.acquired += 1
    else this.#settle?.(line)
  }
}
