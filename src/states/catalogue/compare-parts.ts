/** One thing that a key is made of: `code`, `./helpers.ts: install`, and its digest. */
export interface KeyPart {
  /** What kind of thing: `code`, `machine`, `files`, … */
  part: string
  /** Which of its kind; empty where there is only one. */
  item: string
  /** Text as it is, everything else as JSON. */
  value: string
}

/** A part of a key, and what it was before; undefined on the side that does not have it. */
export interface PartChange {
  part: string
  item: string
  now: string | undefined
  before: string | undefined
}

/** Parts that are told field by field; of an environment's machines, they are one level deeper. */
const DEEP = new Set(['machine', 'emulator'])

/** The parts of a key one by one. */
export function listParts(parts: Readonly<Record<string, unknown>>): KeyPart[] {
  return Object.entries(parts).flatMap(([part, value]) => fields(part, [], value))
}

function fields(part: string, path: readonly string[], value: unknown): KeyPart[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject || (path.length > 0 && !DEEP.has(part))) {
    return [{ part, item: path.join('.'), value: show(value) }]
  }
  return Object.entries(value).flatMap(([name, inner]) => fields(part, [...path, name], inner))
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** What differs between the parts of two keys, in the order of the newer one. */
export function compareParts(
  now: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
): PartChange[] {
  const left = new Map(listParts(before).map((entry) => [nameOf(entry), entry]))
  const changes: PartChange[] = []
  for (const entry of listParts(now)) {
    const { part, item, value } = entry
    const old = left.get(nameOf(entry))?.value
    left.delete(nameOf(entry))
    if (old !== value) changes.push({ part, item, now: value, before: old })
  }
  const gone = [...left.values()].map(({ part, item, value }) => ({
    part,
    item,
    now: undefined,
    before: value,
  }))
  return [...changes, ...gone]
}

function nameOf({ part, item }: KeyPart): string {
  return `${part}\0${item}`
}
