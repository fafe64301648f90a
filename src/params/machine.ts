import { z } from 'zod'
import { architectureSchema } from './architecture.js'
import { cloudInitSchema, userNameSchema } from './cloud-init.js'
import {
  cdromsSchema,
  disksSchema,
  findDriveIssues,
  findUnsavableDisk,
  imageDiskSchema,
} from './drives.js'
import { firstBootSchema } from './first-boot.js'
import { imageSchema } from './image.js'
import { optionsSchema, qemuSchema, timeoutSchema } from './options.js'
import { findRamWriter } from './ram-writers.js'
import { sizeSchema } from './size.js'

const cpuModelSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+=,-]*$/,
    'a CPU model is a name that "qemu-system-x86_64 -cpu help" lists',
  )
  .refine(
    (model) => !/^(host|max)\b/.test(model),
    'the CPU models "host" and "max" differ between hosts, so states on them cannot be shared; name one that "qemu-system-x86_64 -cpu help" lists',
  )

/** Copied to the same path below a directory of the host. */
const guestFileSchema = z
  .string('a file in the guest is an absolute path')
  .regex(/^\/(?!.*\/$)[^\0]+$/s, 'a file in the guest is an absolute path')
  .refine(
    (path) => !path.split('/').some((part) => part === '.' || part === '..'),
    'a file in the guest is a path without "." and ".." in it',
  )

const ROOT = 'root'

const MAX_CPUS = 255

/** Bytes of memory of a machine that says nothing about it. */
export const DEFAULT_MEMORY = 512 * 2 ** 20

/** What a user may say about a machine besides its name. */
export const machineOptionsSchema = optionsSchema({
  image: imageSchema,
  /** What its CPUs are; decides which QEMU runs it, and what is taken where nothing else is said. */
  arch: architectureSchema.default('x86_64'),
  memory: sizeSchema
    // What QEMU rounds it to, but not the memory that it is given for it.
    .refine((bytes) => bytes % 8192 === 0, 'memory is a multiple of 8 KiB, such as "512 MiB"')
    .default(DEFAULT_MEMORY),
  cpus: z
    .number(`the number of CPUs is a whole number from 1 to ${MAX_CPUS}`)
    .int(`the number of CPUs is a whole number from 1 to ${MAX_CPUS}`)
    .min(1, `a machine has at least 1 CPU`)
    .max(MAX_CPUS, `a machine has at most ${MAX_CPUS} CPUs`)
    .default(1),
  /** All that x86-64-v2 asks for; any host can run it. See docs/decisions/030-cpu-model.md. */
  cpuModel: cpuModelSchema.default('qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt'),
  machineType: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'a machine type is a name that "qemu-system-x86_64 -machine help" lists',
    )
    .default('q35'),
  /** What the machine starts with: QEMU's BIOS, or the UEFI firmware that the host has for QEMU. */
  firmware: z.enum(['bios', 'uefi'], 'firmware is "bios" or "uefi"').default('bios'),
  /** Whether it has a TPM 2.0, by the program swtpm. */
  tpm: z.boolean('tpm is true or false').default(false),
  /** Whether the guest reaches out (`nat`), is only reached by port forwards, or has no card. */
  network: z
    .enum(['nat', 'isolated', 'none'], 'a network is "nat", "isolated" or "none"')
    .default('nat'),
  /**
   * What the console is to the guest: a serial port of a PC, or one of virtio. (`QEMUMachine.set_console`)
   */
  console: z
    .enum(
      ['ttyS0', 'ttyS1', 'ttyS2', 'ttyS3', 'hvc0'],
      'a console is "ttyS0" to "ttyS3", or "hvc0" for one of virtio',
    )
    .default('ttyS0'),
  /** What commands and files go through: the guest agent, sshd, or a shell on the serial console. */
  guest: z
    .enum(['agent', 'ssh', 'console'], 'a guest is talked to by "agent", "ssh" or "console"')
    .default('agent'),
  /** Who logs in over ssh. */
  sshUser: userNameSchema.default(ROOT),
  /** Who logs in on the console, where it has no shell already. */
  consoleUser: userNameSchema.optional(),
  /** Their password, where they have one; it is in no key. */
  consolePassword: z
    .string()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would not take as it is
    .regex(/^[^\x00-\x1f\x7f]*$/, 'a password is text without control characters')
    .optional(),
  /** What cloud-init does in the guest when it boots for the first time. */
  cloudInit: cloudInitSchema.optional(),
  /** What is changed in the image before the machine boots for the first time. */
  firstBoot: firstBootSchema.optional(),
  /** How the disk of the image is attached. */
  imageDisk: imageDiskSchema.prefault({}),
  /** Further disks. */
  disks: disksSchema.default([]),
  /** CD-ROMs, whose content is never written to. */
  cdroms: cdromsSchema.default([]),
  /** What the firmware tries first: names of disks and CD-ROMs, and `network`; the disks unless told. */
  bootOrder: z.array(z.string()).min(1, 'a boot order names at least one thing').optional(),
  /** Root ports of `q35` for devices that are plugged in while the machine runs. */
  hotplugPorts: z
    .number('hotplugPorts is a whole number from 0 to 8')
    .int('hotplugPorts is a whole number from 0 to 8')
    .min(0, 'hotplugPorts is a whole number from 0 to 8')
    // The BIOS has I/O ports for hardly more.
    .max(8, 'hotplugPorts is a whole number from 0 to 8')
    .default(0),
  /** The QEMU binary, a path or a name to look up in `PATH`; by default the configuration's `qemu`. */
  binary: qemuSchema.optional(),
  /** A command that gets QEMU's command line as its last arguments and becomes QEMU. */
  wrapper: z.array(z.string().min(1, 'a wrapper is a command and its arguments')).default([]),
  /** Files that QEMU inherits, open for reading and writing: file descriptor 10, 11, … for `extraArgs`. */
  extraFds: z.array(z.string().startsWith('/', 'a file is an absolute path')).default([]),
  /** Further QEMU arguments, one item each. */
  extraArgs: z.array(z.string()).default([]),
  /** Tests on disk states start from a kept boot (`live`), or boot each time (`cold`). */
  boot: z.enum(['live', 'cold'], 'boot is "live" or "cold"').default('live'),
  /** The guest's clock in tests after a restore: the host's, or as it was when the state was kept. */
  clock: z.enum(['host', 'frozen'], 'a clock is "host" or "frozen"').default('host'),
  /** In tests: machine id and host keys of ssh as they were kept, or new ones at each restore. */
  identity: z.enum(['saved', 'fresh'], 'an identity is "saved" or "fresh"').default('saved'),
  /** Called with the machine after each restore for a test, before the test's first line. */
  afterRestore: z
    .custom<(vm: never) => unknown>(
      (value) => typeof value === 'function',
      'afterRestore is a function',
    )
    .optional(),
  /**
   * Waits, once the agent of a machine that was powered on answers, until it is ready for a setup or a
   * test; by default, until its init system has settled. Its code counts in the keys of states.
   */
  ready: z
    .custom<(vm: never) => unknown>((value) => typeof value === 'function', 'a ready is a function')
    .optional(),
  /** Milliseconds from power-on until the machine must be ready. */
  readyTimeout: timeoutSchema.default(120_000),
  /** What a test that fails leaves of the guest, besides what is captured of every machine. */
  artifacts: optionsSchema({
    files: z.array(guestFileSchema, 'files is a list of paths').default([]),
  }).prefault({}),
}).check(({ value, issues }) => {
  const { extraArgs, boot, arch, image, firmware, guest, network, console } = value
  if (arch === 'aarch64' && firmware === 'bios' && image.kind !== 'tiny') {
    const message = 'machines of aarch64 have no BIOS: leave firmware out'
    issues.push({ code: 'custom', input: firmware, path: ['firmware'], message })
  }
  if (arch === 'aarch64' && /^ttyS[1-3]$/.test(console)) {
    const message = 'machines of aarch64 have one serial port: leave console out, or name "hvc0"'
    issues.push({ code: 'custom', input: console, path: ['console'], message })
  }
  if (guest === 'ssh' && network === 'none') {
    const message = 'ssh needs a network: give the machine network: "isolated", or leave guest out'
    issues.push({ code: 'custom', input: guest, path: ['guest'], message })
  }
  for (const [way, name, isSaid] of [
    ['ssh', 'sshUser', value.sshUser !== ROOT],
    ['console', 'consoleUser', value.consoleUser !== undefined],
    ['console', 'consolePassword', value.consolePassword !== undefined],
  ] as const) {
    if (!isSaid || guest === way) continue
    const message = `it goes with guest: "${way}", and guest is "${guest}"`
    issues.push({ code: 'custom', input: value[name], path: [name], message })
  }
  for (const issue of findDriveIssues(value)) issues.push({ code: 'custom', ...issue })
  const unsavable = boot === 'live' ? findUnsavableDisk(value) : undefined
  if (unsavable !== undefined) {
    const message = `${unsavable.message}, so there are no kept boots: choose another bus, or give the machine boot: "cold" and no live states`
    issues.push({ code: 'custom', ...unsavable, message })
  }
  const found = boot === 'live' ? findRamWriter(extraArgs) : undefined
  if (found === undefined) return
  issues.push({
    code: 'custom',
    input: found.argument,
    path: ['extraArgs', found.index],
    message: `"${found.argument}" changes the RAM of a machine from outside of its guest, which would damage kept boots and live states; leave it out, or give the machine boot: "cold" and no live states`,
  })
})

/** Options of a machine as a user writes them. */
export type MachineOptions = z.input<typeof machineOptionsSchema>

/** Options of a machine with units turned into numbers and defaults filled in. */
export type ParsedMachineOptions = z.output<typeof machineOptionsSchema>
