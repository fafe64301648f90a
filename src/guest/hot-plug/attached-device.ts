import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import type { Patience } from '../../qemu/deadline.js'
import { checkTimeout } from '../exec/options.js'
import type { GuestAccess } from '../guest-access.js'
import type { GuestProcess } from '../guest-process.js'

/** Milliseconds that a guest may take to let go of a device unless told. */
const DETACH_TIMEOUT = 30_000

const LET_GO =
  'The guest has to be up, and nothing in it may use the device: unmount a disk, take a card down. Then detach it again.'

/** A device that was plugged into a running machine, until it is detached or the machine restored. */
export class AttachedDevice {
  /** The serial number of a disk, as its guest sees it; of a card, only QEMU's name for it. */
  readonly name: string
  readonly #access: GuestAccess
  readonly #process: GuestProcess
  readonly #id: string
  readonly #removeRest: () => Promise<void>
  #detached: Promise<void> | undefined

  /** @internal */
  constructor(
    access: GuestAccess,
    process: GuestProcess,
    device: { name: string; id: string; removeRest: () => Promise<void> },
  ) {
    this.#access = access
    this.#process = process
    this.name = device.name
    this.#id = device.id
    this.#removeRest = device.removeRest
  }

  /**
   * Asks the guest to let go of the device, waits for it, and takes it away. Nothing to one that is gone.
   *
   * @param patience - `timeout` in milliseconds, 30,000 by default
   * @throws GuestError `HOT_PLUG_FAILED` if the guest does not let go, which may be tried again;
   *   `GUEST_RESTORED` once the machine was restored, `GUEST_GONE`, `ABORTED`
   */
  detach(patience: Patience = {}): Promise<void> {
    return this.#access.call(this.detach, async ({ process }) => {
      if (process !== this.#process) {
        const text = `${this.name} is gone: ${process.options.name} was restored since it was attached`
        throw new VmStatesError('GUEST_RESTORED', text)
      }
      this.#detached ??= this.#detach(patience)
      await this.#detached
    })
  }

  async #detach({ timeout = DETACH_TIMEOUT, signal }: Patience): Promise<void> {
    try {
      checkTimeout('detach.timeout', timeout)
      await this.#unplug({ timeout, signal })
      await this.#removeRest()
    } catch (error) {
      this.#detached = undefined
      throw error
    }
  }

  async #unplug(patience: Patience): Promise<void> {
    const { qmp } = this.#process
    const waiting = new AbortController()
    const match = ({ data }: { data: { device?: unknown } }) => data.device === this.#id
    const signal = AbortSignal.any([waiting.signal, ...(patience.signal ? [patience.signal] : [])])
    const gone = qmp.waitForEvent('DEVICE_DELETED', { ...patience, signal, match })
    const refused = qmp.waitForEvent('DEVICE_UNPLUG_GUEST_ERROR', { ...patience, signal, match })
    // What comes later than the other is nobody's.
    for (const event of [gone, refused]) event.catch(() => {})
    try {
      if ((await this.#ask()) === 'gone') return
      const { name } = await Promise.race([gone, refused])
      if (name !== 'DEVICE_DELETED') throw this.#notLetGo('refuses to let go of it')
    } catch (error) {
      if (!isVmStatesError(error, 'TIMEOUT')) throw error
      throw this.#notLetGo(`has not let go of it within ${patience.timeout} ms`)
    } finally {
      waiting.abort()
    }
  }

  async #ask(): Promise<'asked' | 'gone'> {
    try {
      await this.#process.qmp.execute('device_del', { id: this.#id })
      return 'asked'
    } catch (error) {
      const { message } = error as Error
      // It was asked before, by a call that did not wait for as long.
      if (message.includes('already in the process of unplug')) return 'asked'
      if (message.includes(`'${this.#id}' not found`)) return 'gone'
      throw error
    }
  }

  #notLetGo(what: string): VmStatesError {
    const text = `${this.name} is not detached: the guest of ${this.#process.options.name} ${what}`
    return new VmStatesError('HOT_PLUG_FAILED', text, { hint: LET_GO })
  }
}
