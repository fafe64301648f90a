import { z } from 'zod'

/** What the CPUs of a machine are, in QEMU's words: its binary is `qemu-system-` and this. */
export const architectureSchema = z.enum(
  ['x86_64', 'aarch64'],
  'an architecture is "x86_64" or "aarch64"',
)

/** What the CPUs of a machine are. */
export type Architecture = z.output<typeof architectureSchema>

/** What machines are that say nothing else, where that is not as for x86-64. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aarch64: { machineType: 'virt', cpuModel: 'cortex-a57', firmware: 'uefi' },
}

/** A user's options of a machine, with defaults of its architecture where they say nothing. */
export function withArchitecture<Options extends object>(options: Options): Options {
  if (!('arch' in options)) return options
  const arch = String(options.arch)
  const said = Object.entries(options).filter(([, value]) => value !== undefined)
  const { image, ...others } = Object.fromEntries(said)
  const isTiny = (image as { kind?: unknown } | undefined)?.kind === 'tiny'
  return {
    ...DEFAULTS[arch],
    // QEMU starts its kernel by itself.
    ...(isTiny && { firmware: 'bios' }),
    ...others,
    image: isTiny && arch in DEFAULTS ? { ...(image as object), arch } : image,
  } as Options
}
