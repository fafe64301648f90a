import { monotonic } from '../params/clocks.js'
import type { Patience } from '../qemu/deadline.js'
import type { GuestAccess } from './guest-access.js'
import { MachineHardware } from './machine-hardware.js'
import { type WaitForPortOptions, waitForPort } from './ports/wait-for-port.js'
import { ready } from './power/ready.js'
import { shutdown } from './power/shutdown.js'
import { GuestService } from './services/service.js'
import { firstAddress } from './system/address.js'
import { setTime } from './system/clock.js'
import { freeze } from './system/freeze.js'
import { hostname } from './system/hostname.js'
import { reboot } from './system/reboot.js'

/** Milliseconds from the request until a guest has booted again. */
const REBOOT_TIMEOUT = 180_000

/** What the guest's operating system does, besides running commands. */
export abstract class GuestSystem extends MachineHardware {
  readonly #access: GuestAccess

  /** @internal */
  constructor(access: GuestAccess) {
    super(access)
    this.#access = access
  }

  /**
   * Waits until something in the guest listens on a TCP port.
   *
   * @throws GuestError `TIMEOUT`, with the ports that do listen
   */
  waitForPort(port: number, options: WaitForPortOptions = {}): Promise<void> {
    return this.#access.call(this.waitForPort, ({ channel }) => waitForPort(channel, port, options))
  }

  /**
   * Waits until the guest answers and its init system has settled: systemd or OpenRC; of
   * others nothing is waited for.
   *
   * @param patience - `timeout` in milliseconds, 120,000 by default
   * @throws GuestError `GUEST_AGENT_MISSING`, saying what to install in the guest; `GUEST_NOT_READY`,
   *   naming what has not settled; `GUEST_GONE` as soon as the machine ends
   */
  ready(patience: Patience = {}): Promise<void> {
    return this.#access.call(this.ready, ({ channel }) => ready(channel, patience))
  }

  /**
   * Has the guest power itself off, and waits until it has. It is never killed.
   *
   * @param patience - `timeout` in milliseconds, 90,000 by default
   * @throws VmStatesError `GUEST_NOT_SHUT_DOWN` if it does not in time, or ends in another way
   */
  shutdown(patience: Patience = {}): Promise<void> {
    return this.#access.call(this.shutdown, ({ channel, process }) =>
      shutdown(channel, process, patience),
    )
  }

  /**
   * Has the guest shut down and boot again, and waits until it is {@link ready}. (Lago's `VM.reboot`)
   *
   * @param patience - `timeout` in milliseconds for all of it, 180,000 by default
   * @throws GuestError `TIMEOUT`, `ABORTED`, `GUEST_AGENT_MISSING`, `GUEST_NOT_READY`, `GUEST_GONE`
   */
  async reboot({ timeout = REBOOT_TIMEOUT, signal }: Patience = {}): Promise<void> {
    const startedAt = monotonic()
    await this.#access.call(this.reboot, (guest) => reboot(guest, { timeout, signal }))
    const left = Math.max(1, Math.round(timeout - (monotonic() - startedAt)))
    await this.ready({ timeout: left, signal })
  }

  /** The guest's name for itself. (Lago's `VM.name`) */
  hostname(): Promise<string> {
    return this.#access.call(this.hostname, ({ channel }) => hostname(channel))
  }

  /**
   * The guest's first IPv4 address that is not its loopback's, once it has one. (Lago's `VM.ip`)
   *
   * @param patience - `timeout` in milliseconds, 30,000 by default
   * @throws GuestError `TIMEOUT`, naming the network cards
   */
  ip(patience: Patience = {}): Promise<string> {
    return this.#access.call(this.ip, ({ channel }) => firstAddress(channel, patience))
  }

  /**
   * Sets the guest's clock. Under TCG it takes seconds, since the agent sets the hardware clock too.
   *
   * @throws GuestError `GUEST_AGENT_REFUSED`
   */
  setTime(time: Date): Promise<void> {
    return this.#access.call(this.setTime, ({ channel }) => setTime(channel, time))
  }

  /**
   * Has the guest write out and freeze its filesystems: what writes to them waits. Over the agent,
   * commands are refused until {@link thaw}.
   *
   * @returns how many there are
   * @throws GuestError `GUEST_AGENT_REFUSED`
   */
  freeze(): Promise<number> {
    return this.#access.call(this.freeze, ({ channel }) => freeze(channel, 'freeze'))
  }

  /**
   * Has the guest's filesystems go on.
   *
   * @returns how many were frozen
   * @throws GuestError `GUEST_AGENT_REFUSED`
   */
  thaw(): Promise<number> {
    return this.#access.call(this.thaw, ({ channel }) => freeze(channel, 'thaw'))
  }

  /**
   * A service of the guest's, run by systemd, OpenRC or a script in `/etc/init.d`. (Lago's `VM.service`)
   *
   * @throws VmStatesError `INVALID_VALUE` for a name that no service has
   */
  service(name: string): GuestService {
    return new GuestService(name, this.#access)
  }

  /**
   * Waits until a service runs, as {@link GuestService.waitUntilRunning} does.
   *
   * @param patience - `timeout` in milliseconds, 60,000 by default
   */
  async waitForService(name: string, patience: Patience = {}): Promise<void> {
    await this.service(name).waitUntilRunning(patience)
  }
}
