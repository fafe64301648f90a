import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Patience } from '../../qemu/deadline.js'
import type { Channel } from '../channel/channel.js'
import { exec } from '../exec/exec.js'
import { checkTimeout } from '../exec/options.js'
import type { GuestAccess } from '../guest-access.js'
import { GuestError } from '../guest-error.js'
import { poll } from '../poll.js'
import {
  CONTROL_SERVICE,
  EXPLAIN_SERVICE,
  NO_SUCH_SERVICE,
  SHOW_SERVICE,
} from './service-scripts.js'

/** Milliseconds that a service gets to start, stop or come up unless told. */
const DEFAULT_TIMEOUT = 60_000

/** Milliseconds that its init system gets to say more of it. */
const EXPLAIN_TIMEOUT = 5000

const NAME = /^[\w@.:\\-]+$/

/** What a service of a guest does. */
export type ServiceStatus = 'running' | 'starting' | 'stopping' | 'stopped' | 'failed'

/** A service of a guest that systemd, OpenRC or a script in `/etc/init.d` runs. */
export class GuestService {
  readonly name: string
  readonly #access: GuestAccess

  /**
   * @internal
   * @throws VmStatesError `INVALID_VALUE` for a name that no service has
   */
  constructor(name: string, access: GuestAccess) {
    if (typeof name !== 'string' || !NAME.test(name) || name.startsWith('-')) {
      const right = 'it must be the name of a service'
      throw new VmStatesError('INVALID_VALUE', `service.name is ${showValue(name)}: ${right}`)
    }
    this.name = name
    this.#access = access
  }

  /**
   * What it does at the moment.
   *
   * @throws GuestError `GUEST_SERVICE_MISSING` if the guest has none of this name
   */
  status(): Promise<ServiceStatus> {
    return this.#access.call(this.status, ({ channel }) => statusOf(channel, this.name))
  }

  /**
   * Starts it, and waits until its init system says that it has; nothing if it runs.
   *
   * @param patience - `timeout` in milliseconds, 60,000 by default
   * @throws CommandError `GUEST_COMMAND_FAILED` with what the init system says; `TIMEOUT`; `ABORTED`
   * @throws GuestError `GUEST_SERVICE_MISSING`
   */
  start(patience: Patience = {}): Promise<void> {
    return this.#control(this.start, 'start', patience)
  }

  /** Stops it. @throws CommandError, GuestError as {@link start} */
  stop(patience: Patience = {}): Promise<void> {
    return this.#control(this.stop, 'stop', patience)
  }

  /** Stops it if it runs, and starts it. @throws CommandError, GuestError as {@link start} */
  restart(patience: Patience = {}): Promise<void> {
    return this.#control(this.restart, 'restart', patience)
  }

  /**
   * Waits until it runs.
   *
   * @param patience - `timeout` in milliseconds, 60,000 by default
   * @throws GuestError `GUEST_SERVICE_FAILED` as soon as it has, with what the init system says; `TIMEOUT`;
   *   `ABORTED`; `GUEST_SERVICE_MISSING`
   */
  waitUntilRunning({ timeout = DEFAULT_TIMEOUT, signal }: Patience = {}): Promise<void> {
    return this.#access.call(this.waitUntilRunning, async ({ channel }) => {
      checkTimeout('waitUntilRunning.timeout', timeout)
      let status: ServiceStatus = 'stopped'
      const look = async () => {
        status = await statusOf(channel, this.name)
        return status === 'running' || status === 'failed' ? status : undefined
      }
      const what = `waiting for the service ${this.name}`
      const found = await poll(what, look, { timeout, signal }, async () => ({
        message: `the service ${this.name} did not run within ${timeout} ms: it is ${status}`,
        hint: await explain(channel, this.name),
      }))
      if (found === 'running') return
      throw new GuestError('GUEST_SERVICE_FAILED', `the service ${this.name} has failed`, {
        hint: await explain(channel, this.name),
      })
    })
  }

  #control(method: unknown, action: string, patience: Patience): Promise<void> {
    const { timeout = DEFAULT_TIMEOUT, signal } = patience
    return this.#access.call(method, async ({ channel, onCommand }) => {
      const args = ['-c', CONTROL_SERVICE, 'sh', this.name, action]
      const script = `${action} the service ${this.name}`
      await exec(channel, '/bin/sh', args, { timeout, signal }, { script, onCommand }).catch(
        (error: unknown) => {
          throw isMissing(error) ? missing(this.name) : error
        },
      )
    })
  }
}

async function statusOf(channel: Channel, name: string): Promise<ServiceStatus> {
  const args = ['-c', SHOW_SERVICE, 'sh', name]
  const options = { reject: false, timeout: DEFAULT_TIMEOUT }
  const { exitCode, stdout } = await exec(channel, '/bin/sh', args, options)
  if (exitCode === NO_SUCH_SERVICE) throw missing(name)
  return String(stdout).trim() as ServiceStatus
}

/** What the init system says of a service, if it does so soon: something else is to be told. */
async function explain(channel: Channel, name: string): Promise<string | undefined> {
  const args = ['-c', EXPLAIN_SERVICE, 'sh', name]
  const options = { reject: false, timeout: EXPLAIN_TIMEOUT }
  return await exec(channel, '/bin/sh', args, options).then(
    ({ stdout }) => String(stdout),
    () => undefined,
  )
}

function isMissing(error: unknown): boolean {
  return (
    isVmStatesError(error, 'GUEST_COMMAND_FAILED') &&
    'exitCode' in error &&
    error.exitCode === NO_SUCH_SERVICE
  )
}

function missing(name: string): GuestError {
  return new GuestError(
    'GUEST_SERVICE_MISSING',
    `the guest has no service ${name}: neither systemd nor OpenRC knows it, and there is no /etc/init.d/${name}`,
  )
}
