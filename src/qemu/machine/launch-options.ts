import type { Architecture } from '../../params/architecture.js'
import type { Bus, Cache } from '../../params/drives.js'
import type { Accelerator } from '../accelerator/accelerator.js'

/** What the guest calls the device of its console: a serial port of a PC, or one of virtio. */
export type ConsoleDevice = 'ttyS0' | 'ttyS1' | 'ttyS2' | 'ttyS3' | 'hvc0'

/** A disk as QEMU gets it. The format is always said, never probed. */
export interface Disk {
  /** The name in the machine's definition; the block node and the drive's serial are called so. */
  name: string
  /** Absolute path. */
  file: string
  format: 'qcow2' | 'raw'
  readOnly?: boolean
  /**
   * What it is, if no disk: a disc; the variables of UEFI firmware, which are flash to the guest; or what its
   * TPM stores, a file of swtpm's own, whatever its format is said to be.
   */
  role?: 'variables' | 'cdrom' | 'tpm'
  /** What the drive is attached to; `virtio` unless given. */
  bus?: Bus
  /** How the host caches it; `unsafe` unless given. */
  cache?: Cache
}

/** A kernel that QEMU boots directly, without firmware and boot loader. */
export interface DirectKernel {
  kernel: string
  initrd?: string
  /** Kernel parameters; the serial console is `ttyS0`. */
  append?: string
}

/** The hardware of a machine as its guest sees it: what a live state depends on. */
export interface Hardware {
  /** `x86_64` unless given. */
  arch?: Architecture | undefined
  /** Bytes of RAM. */
  memory: number
  cpus: number
  /** A CPU model that QEMU knows by name; never `host`. */
  cpuModel: string
  /** A QEMU machine type, such as `q35`. */
  machineType: string
  /** User-mode networking that reaches out, or that only port forwards reach; or no card at all. */
  network: 'nat' | 'isolated' | 'none'
  /** What the console is to the guest: the first serial port unless given. */
  console?: ConsoleDevice | undefined
  /** Names of drives that the firmware tries first, and `network` for the card; the disks unless given. */
  bootOrder?: readonly string[] | undefined
  /** How many root ports there are for devices that come while it runs; none unless given. */
  hotplugPorts?: number | undefined
  /** Further QEMU arguments of the user's, one item each. */
  extraArgs: readonly string[]
}

/** A file of the size of the guest's RAM that QEMU maps as the guest's RAM. */
export interface MappedRam {
  /** Absolute path; it must be writable. */
  path: string
  /** Whether the guest writes to the file, or to pages of its own. */
  shared: boolean
}

/** What somebody who steps into a machine sees of it; nothing that the guest could tell. */
export interface Viewing {
  /** Show the display by VNC on a port of the loopback; 0 for a free one from 5900 on. */
  vncPort?: number | undefined
}

/** Everything that one start of QEMU needs. */
export interface LaunchOptions extends Hardware, Viewing {
  /** The machine's name, for `-name` and for messages. */
  name: string
  /** The QEMU binary: a path, or a name to look up in `PATH`. */
  binary: string
  accelerator: Accelerator
  /** A command that is given QEMU's command line and becomes it, such as `nice -n 10`. */
  wrapper?: readonly string[] | undefined
  /** Absolute paths of files that QEMU inherits, open for reading and writing, from descriptor 10 on. */
  extraFds?: readonly string[] | undefined
  disks: readonly Disk[]
  directKernel?: DirectKernel
  /** Absolute path of the code of UEFI firmware, which goes with a disk for its variables. */
  firmware?: string | undefined
  /** An existing private directory for the console log and QEMU's own log. */
  directory: string
  /** What the guest's RAM is; memory of QEMU's own unless given. */
  ram?: MappedRam | undefined
  /** Start with the CPUs stopped (`-S`). */
  paused?: boolean
  /** Absolute path of the device state to wait for, see `loadDeviceState`. */
  incoming?: string | undefined
  /** Milliseconds from spawn to the QMP greeting. */
  timeout?: number
  signal?: AbortSignal
  /** Called with the pid as soon as there is one, before QEMU can have done anything. */
  onSpawn?: (pid: number) => void | Promise<void>
}
