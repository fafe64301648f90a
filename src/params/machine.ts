import { z } from 'zod'
import { cloudInitSchema } from './cloud-init.js'
import { firstBootSchema } from './first-boot.js'
import { imageSchema } from './image.js'
import { nameSchema } from './names.js'
import { optionsSchema, qemuSchema, timeoutSchema } from './options.js'
import { findRamWriter } from './ram-writers.js'
import { sizeSchema } from './size.js'

/** The name of the disk that comes from the machine's image. */
export const IMAGE_DISK_NAME = 'image'

/** The name of the disk that holds the variables of UEFI firmware. */
export const VARIABLES_DISK_NAME = 'variables'

/** The name of the disk that tells cloud-init what to do, and the label that it is found by. */
export const SEED_DISK_NAME = 'cidata'

/** Names of disks that a machine has by itself, and what they are. */
const OWN_DISKS = new Map([
  [IMAGE_DISK_NAME, "the disk that comes from the machine's image"],
  [VARIABLES_DISK_NAME, 'the disk that holds the variables of UEFI firmware'],
  [SEED_DISK_NAME, 'the disk that cloud-init reads'],
])

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

const diskSchema = optionsSchema({
  name: nameSchema.refine((name) => !OWN_DISKS.has(name), {
    error: ({ input }) => `"${input}" is ${OWN_DISKS.get(String(input))}`,
  }),
  size: sizeSchema,
})

const MAX_CPUS = 255

/** Bytes of memory of a machine that says nothing about it. */
export const DEFAULT_MEMORY = 512 * 2 ** 20

/** What a user may say about a machine besides its name. */
export const machineOptionsSchema = optionsSchema({
  image: imageSchema,
  memory: sizeSchema.default(DEFAULT_MEMORY),
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
  /** Whether the guest reaches out (`nat`), is only reached by port forwards, or has no card. */
  network: z
    .enum(['nat', 'isolated', 'none'], 'a network is "nat", "isolated" or "none"')
    .default('nat'),
  /** What cloud-init does in the guest when it boots for the first time. */
  cloudInit: cloudInitSchema.optional(),
  /** What is changed in the image before the machine boots for the first time. */
  firstBoot: firstBootSchema.optional(),
  /** Further disks, blank at first. */
  disks: z
    .array(diskSchema)
    .refine(
      (disks) => new Set(disks.map((disk) => disk.name)).size === disks.length,
      'every disk needs a name of its own',
    )
    .default([]),
  /** The QEMU binary, a path or a name to look up in `PATH`; by default the configuration's `qemu`. */
  binary: qemuSchema.optional(),
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
}).check(({ value: { extraArgs, boot }, issues }) => {
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
