import type { GuestAccess } from './guest-access.js'
import { type AttachDiskOptions, attachDisk } from './hot-plug/attach-disk.js'
import { type AttachNetworkOptions, attachNetwork } from './hot-plug/attach-network.js'
import type { AttachedDevice } from './hot-plug/attached-device.js'
import { changeDisc } from './hot-plug/change-disc.js'
import { QemuMachine } from './qemu-machine.js'

/**
 * What is plugged into a machine while it runs. A machine that was changed so is not used for further tests,
 * and cannot be kept as a live state before all was undone.
 */
export abstract class MachineHardware extends QemuMachine {
  readonly #access: GuestAccess

  /** @internal */
  constructor(access: GuestAccess) {
    super(access)
    this.#access = access
  }

  /**
   * Plugs a blank virtio disk in; the guest sees it a moment later. On `q35` the machine needs a free one of
   * its `hotplugPorts`.
   *
   * @param options - `size` in bytes or as text; `name`, its serial number
   * @throws GuestError `HOT_PLUG_FAILED` without a free port, `DISK_FULL`
   */
  attachDisk(options: AttachDiskOptions): Promise<AttachedDevice> {
    return this.#access.call(this.attachDisk, ({ process }) =>
      attachDisk(this.#access, process, options),
    )
  }

  /**
   * Plugs a virtio network card in, with a user-mode network of its own; as {@link attachDisk}.
   *
   * @param options - `network`: `nat` (default) or `isolated`; `mac`
   * @throws GuestError `HOT_PLUG_FAILED` without a free port
   */
  attachNetwork(options: AttachNetworkOptions = {}): Promise<AttachedDevice> {
    return this.#access.call(this.attachNetwork, ({ process }) =>
      attachNetwork(this.#access, process, options),
    )
  }

  /**
   * Takes the disc out of a CD-ROM, if there is one, and puts another one in.
   *
   * @param name - of the CD-ROM in the machine's definition
   * @param path - of the disc as a file
   * @throws VmStatesError `INVALID_VALUE` if there is no such CD-ROM; GuestError `QMP_COMMAND_FAILED` for a
   *   file that cannot be opened
   */
  changeCdrom(name: string, path: string): Promise<void> {
    return this.#access.call(this.changeCdrom, ({ process }) => changeDisc(process, name, path))
  }

  /**
   * Takes the disc out of a CD-ROM, and leaves its tray open.
   *
   * @param name - of the CD-ROM in the machine's definition
   * @throws VmStatesError `INVALID_VALUE` if there is no such CD-ROM
   */
  ejectCdrom(name: string): Promise<void> {
    return this.#access.call(this.ejectCdrom, ({ process }) => changeDisc(process, name))
  }
}
