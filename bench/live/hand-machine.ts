import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { commandLine } from '../../src/qemu/machine/command-line.js'
import type { LaunchOptions } from '../../src/qemu/machine/launch-options.js'
import { startChild } from './children.js'
import { JsonLines } from './json-lines.js'

interface ExecStatus {
  exited: boolean
  exitcode?: number
  'err-data'?: string
}

/** Milliseconds between two looks whether a guest's command has ended. */
const LOOK_EVERY = 20

/**
 * A QEMU with the arguments that ours has, started and talked with by the least that it takes: what
 * somebody does by hand, and what ours is measured against.
 */
export class HandMachine implements AsyncDisposable {
  readonly pid: number
  readonly monitor: JsonLines
  readonly agent: JsonLines
  readonly #ended: Promise<unknown>

  private constructor(options: LaunchOptions, further: readonly string[]) {
    const args = [...commandLine(options), ...further]
    const stdio = ['ignore', 'ignore', 'inherit', 'pipe', 'pipe', 'pipe'] as const
    const child = startChild(options.binary, args, { stdio: [...stdio] })
    const [monitor, agent] = child.stdio.slice(3) as Duplex[]
    this.pid = child.pid as number
    this.monitor = new JsonLines(monitor as Duplex)
    this.agent = new JsonLines(agent as Duplex)
    this.#ended = once(child, 'exit')
  }

  /**
   * Starts it, and waits for the monitor's greeting. Its CPUs stand still.
   *
   * @param further - arguments of QEMU besides those of the machine
   */
  static async start(
    options: LaunchOptions,
    further: readonly string[] = [],
  ): Promise<HandMachine> {
    const machine = new HandMachine(options, further)
    await machine.monitor.next((message) => 'QMP' in message)
    await machine.monitor.execute('qmp_capabilities')
    return machine
  }

  /** Loads device state into a machine that waits for it, with its RAM mapped from a file. */
  async load(devices: string): Promise<void> {
    const capabilities = ['events', 'x-ignore-shared'].map((capability) => ({
      capability,
      state: true,
    }))
    const loaded = this.monitor.next(
      ({ event, data }) =>
        event === 'MIGRATION' && (data as { status: string }).status === 'completed',
    )
    await this.monitor.execute('migrate-set-capabilities', { capabilities })
    await this.monitor.execute('migrate-incoming', { uri: `exec:cat < '${devices}'` })
    await loaded
  }

  /** A command of the human monitor that says nothing where it succeeds. */
  async human(line: string): Promise<void> {
    const said = await this.monitor.execute('human-monitor-command', { 'command-line': line })
    if (said !== '') throw new Error(`${line}: ${said}`)
  }

  /** Waits until the agent answers. */
  async ping(): Promise<void> {
    await this.agent.execute('guest-ping')
  }

  /** Runs a shell script in the guest, and waits for its end. */
  async run(script: string): Promise<void> {
    const arg = ['-ec', script]
    const started = { path: '/bin/sh', arg, 'capture-output': true }
    const { pid } = (await this.agent.execute('guest-exec', started)) as { pid: number }
    for (;;) {
      const status = (await this.agent.execute('guest-exec-status', { pid })) as ExecStatus
      if (status.exitcode !== undefined && status.exitcode !== 0) {
        throw new Error(`${script}: ${Buffer.from(status['err-data'] ?? '', 'base64')}`)
      }
      if (status.exited) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY))
    }
  }

  /** Ends QEMU in good order. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.monitor.execute('quit').catch(() => {})
    await this.#ended
  }
}
