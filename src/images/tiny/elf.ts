const PT_DYNAMIC = 2
const PT_INTERP = 3
const PT_LOAD = 1
const DT_NEEDED = 1
const DT_STRTAB = 5

/** What a program or library asks the dynamic linker for. */
export interface ElfDependencies {
  /** The dynamic linker's path, for programs. */
  interpreter?: string
  /** Sonames of the libraries it needs. */
  needed: readonly string[]
}

const text = (elf: Buffer, offset: number): string =>
  elf.toString('latin1', offset, elf.indexOf(0, offset))

/**
 * Reads what a 64-bit little-endian ELF file needs at run time.
 *
 * Source: the System V ABI's chapter on program loading and dynamic linking.
 */
export function readElfDependencies(elf: Buffer): ElfDependencies {
  const number = (offset: number): number => Number(elf.readBigUInt64LE(offset))
  const [tableOffset, entrySize, count] = [number(32), elf.readUInt16LE(54), elf.readUInt16LE(56)]
  const segments = Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * entrySize
    const [offset, address, size] = [number(at + 8), number(at + 16), number(at + 32)]
    return { type: elf.readUInt32LE(at), offset, address, size }
  })
  const toOffset = (address: number): number => {
    const load = segments.find(
      (segment) =>
        segment.type === PT_LOAD &&
        address >= segment.address &&
        address < segment.address + segment.size,
    )
    return load === undefined ? address : address - load.address + load.offset
  }

  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const tags = Array.from({ length: (dynamic?.size ?? 0) / 16 }, (_, index) => {
    const at = (dynamic?.offset ?? 0) + index * 16
    return { tag: number(at), value: number(at + 8) }
  })
  const strings = toOffset(tags.find(({ tag }) => tag === DT_STRTAB)?.value ?? 0)
  const needed = tags
    .filter(({ tag }) => tag === DT_NEEDED)
    .map(({ value }) => text(elf, strings + value))

  const interpreter = segments.find(({ type }) => type === PT_INTERP)
  return interpreter === undefined
    ? { needed }
    : { interpreter: text(elf, interpreter.offset), needed }
}
