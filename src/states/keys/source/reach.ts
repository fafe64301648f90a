import { dirname, relative } from 'node:path'
import { type Linker, shortDigest } from './links.js'
import { Module } from './module.js'
import type { OpaqueFile } from './sources.js'
import type { Unit } from './unit.js'

/** All code that a setup reaches. */
export interface ReachedCode {
  /** Digests of declarations: `install`, `./helpers.ts: install`; of files: `./data.json`. */
  readonly code: Readonly<Record<string, string>>
  /** Versions of packages by their names. */
  readonly packages: Readonly<Record<string, string>>
}

/**
 * Follows setups to everything that they reach: the declarations that they name, what those name, and
 * so on through imports; what changes them; what is imported for its effect on the way.
 *
 * @param origin - the module that defines the state
 * @param setups - pieces of it
 * @throws VmStatesError `SETUP_IMPORT` if an import leads nowhere
 */
export function reach(
  origin: Module,
  setups: readonly Unit<Module>[],
  linker: Linker,
): ReachedCode {
  const walk = new Reach(origin, linker)
  walk.addModule(origin)
  for (const setup of setups) walk.addUnit(setup)
  return walk.result()
}

class Reach {
  readonly #origin: Module
  readonly #linker: Linker
  readonly #units = new Set<Unit<Module>>()
  readonly #modules = new Set<Module>()
  readonly #files = new Map<string, OpaqueFile>()
  readonly #packages = new Map<string, Set<string>>()

  constructor(origin: Module, linker: Linker) {
    this.#origin = origin
    this.#linker = linker
  }

  addUnit(unit: Unit<Module>): void {
    if (this.#units.has(unit)) return
    this.#units.add(unit)
    this.addModule(unit.module)
    for (const target of this.#linker.link(unit).targets) {
      for (const module of target.modules) this.addModule(module)
      for (const inner of target.units) this.addUnit(inner)
      for (const file of target.files) this.#files.set(file.path, file)
      for (const { name, version } of target.packages) this.#addPackage(name, version)
    }
    const used = unit.references.filter(({ isLocal }) => !isLocal)
    for (const { name } of used) this.#addChangers(unit.module, name)
    for (const name of unit.declares) this.#addChangers(unit.module, name)
  }

  /** What happens when a module is loaded and can be seen from everywhere. */
  addModule(module: Module): void {
    if (this.#modules.has(module)) return
    this.#modules.add(module)
    for (const unit of module.globalChanges) this.addUnit(unit)
    for (const specifier of module.effectImports) this.#addEffects(module, specifier)
  }

  /** A module that is imported for its effect: what it does, without what defines states. */
  #addEffects(from: Module, specifier: string): void {
    const found = this.#linker.sources.resolve(from, specifier)
    if (found instanceof Module) {
      this.addModule(found)
      for (const unit of found.statements) if (!unit.defines) this.addUnit(unit)
    } else {
      const { files, packages } = this.#linker.follow(from, { specifier, name: '*' })
      for (const file of files) this.#files.set(file.path, file)
      for (const { name, version } of packages) this.#addPackage(name, version)
    }
  }

  #addChangers(module: Module, name: string): void {
    if (!module.declarations.has(name) && !module.imports.has(name)) return
    for (const unit of module.changersOf(name)) this.addUnit(unit)
  }

  #addPackage(name: string, version: string): void {
    const versions = this.#packages.get(name) ?? new Set()
    this.#packages.set(name, versions.add(version))
  }

  result(): ReachedCode {
    const code = new Map<string, { start: number; digest: string }[]>()
    for (const unit of this.#units) {
      const label = this.#label(unit.module.path, unit.name)
      const { digest } = this.#linker.link(unit)
      code.set(label, [...(code.get(label) ?? []), { start: unit.start, digest }])
    }
    for (const { path, text } of this.#files.values()) {
      code.set(this.#label(path), [{ start: 0, digest: shortDigest(withoutLayout(path, text)) }])
    }
    return {
      code: Object.fromEntries([...code].map(([label, digests]) => [label, join(digests)])),
      packages: Object.fromEntries(
        [...this.#packages].map(([name, versions]) => [name, [...versions].sort().join(', ')]),
      ),
    }
  }

  /** Paths from the module of the setup, whose own name does not count. */
  #label(path: string, name?: string): string {
    if (path === this.#origin.path) return name ?? '.'
    const way = relative(dirname(this.#origin.path), path)
    const file = way.startsWith('.') ? way : `./${way}`
    return name === undefined ? file : `${file}: ${name}`
  }
}

/** Several statements of a module count as one, in the order in which they run. */
function join(digests: readonly { start: number; digest: string }[]): string {
  const [only] = digests
  if (only !== undefined && digests.length === 1) return only.digest
  const ordered = digests.toSorted((a, b) => a.start - b.start)
  return shortDigest(ordered.map(({ digest }) => digest).join('\n'))
}

function withoutLayout(path: string, text: string): string {
  if (!path.endsWith('.json')) return text
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}
