/** Devices that give pages of RAM back to the host, or take and bring RAM while the guest runs. */
const DEVICE = /^(virtio-(balloon|mem|pmem)|pc-dimm$|nvdimm$)/

const OBJECT = /^memory-backend-/

/** Properties by which such a device, or other RAM, gets in by another way. */
const PROPERTY = /(^|[.,])(free-page-(reporting|hint)|memory-backend)=/

/** The options of QEMU that can bring such a thing, and what of their values to look at. */
const BRINGS: Readonly<Record<string, (value: string) => boolean>> = {
  device: (value) => DEVICE.test(kindOf(value, 'driver')) || PROPERTY.test(flat(value)),
  object: (value) => OBJECT.test(kindOf(value, 'qom-type')),
  machine: (value) => PROPERTY.test(value),
  M: (value) => PROPERTY.test(value),
  global: (value) => PROPERTY.test(value),
  set: (value) => PROPERTY.test(value),
  'mem-path': () => true,
  balloon: () => true,
}

/**
 * Finds what would change a guest's RAM behind its back, or be its RAM, among a user's arguments of
 * QEMU: a balloon punches holes even into RAM that is mapped privately, which is a state's.
 *
 * @param args - one item each, as QEMU gets them
 * @returns the place of the first, and the argument as it was written; undefined if there is none
 */
export function findRamWriter(
  args: readonly string[],
): { index: number; argument: string } | undefined {
  for (const [index, arg] of args.entries()) {
    const option = /^--?(.+)$/.exec(arg)?.[1] ?? ''
    const value = args[index + 1] ?? ''
    if (Object.hasOwn(BRINGS, option) && BRINGS[option]?.(value)) {
      return { index, argument: `${arg} ${value}`.trim() }
    }
  }
  return undefined
}

const MONITOR_COMMAND = /^\s*(device|object)_add\s+(\S.*)$/

/**
 * Finds the same in a command of QMP, or of the human monitor through it.
 *
 * @returns what it would make, as it was written; undefined if it is nothing of the kind
 */
export function findRamWriterIn(
  command: string,
  args: Readonly<Record<string, unknown>> = {},
): string | undefined {
  const [, kind = '', value = ''] =
    command === 'human-monitor-command'
      ? (MONITOR_COMMAND.exec(String(args['command-line'])) ?? [])
      : [command, /^(device|object)[-_]add$/.exec(command)?.[1], JSON.stringify(args)]
  return kind !== '' && BRINGS[kind]?.(value) ? value : undefined
}

/** What a value makes: the first item, whatever it is called, or the one of that name. */
function kindOf(value: string, name: string): string {
  const items = flat(value).split(',')
  const named = items.find((item) => item.startsWith(`${name}=`))
  return named?.slice(name.length + 1) ?? items[0] ?? ''
}

/** A value that is JSON in QEMU's other way of writing. */
function flat(value: string): string {
  if (!value.startsWith('{')) return value
  try {
    return Object.entries(JSON.parse(value) as object)
      .map(([name, item]) => `${name}=${item}`)
      .join()
  } catch {
    // QEMU refuses it.
    return value
  }
}
