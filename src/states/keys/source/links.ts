import { hash } from 'node:crypto'
import { dirname, relative } from 'node:path'
import { VmStatesError } from '../../../params/errors.js'
import { type Link, Module } from './module.js'
import type { OpaqueFile, Sources } from './sources.js'
import type { Unit } from './unit.js'

/** What a name stands for. */
export interface Target {
  readonly units: readonly Unit<Module>[]
  readonly files: readonly OpaqueFile[]
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  /** Names of packages and of Node, as they are imported: `zod#z`. */
  readonly outside: readonly string[]
  /** The modules on the way, whose imports for effect count. */
  readonly modules: readonly Module[]
}

/** A unit with everything that it uses directly. */
export interface LinkedUnit {
  /** Of its canonical text, and of where each name in it leads. */
  readonly digest: string
  readonly targets: readonly Target[]
}

const NOTHING: Target = { units: [], files: [], packages: [], outside: [], modules: [] }

/** Follows names to what they stand for, through imports and re-exports. */
export class Linker {
  readonly sources: Sources
  readonly #linked = new Map<Unit<Module>, LinkedUnit>()

  constructor(sources: Sources) {
    this.sources = sources
  }

  /** @throws VmStatesError `SETUP_IMPORT` if an import leads nowhere */
  link(unit: Unit<Module>): LinkedUnit {
    const known = this.#linked.get(unit)
    if (known !== undefined) return known
    const { module } = unit
    const links = new Map<string, Target>()
    for (const { name, member, isLocal } of unit.references) {
      const link = isLocal ? undefined : module.imports.get(name)
      const own = isLocal ? undefined : module.declarations.get(name)
      if (own !== undefined) links.set(name, { ...NOTHING, units: [own] })
      else if (link !== undefined && member !== undefined) {
        links.set(`${name}.${member}`, this.follow(module, link, member))
      } else if (link !== undefined) links.set(name, this.follow(module, link))
    }
    for (const { specifier } of unit.imports) {
      links.set(specifier, this.follow(module, { specifier, name: '*' }))
    }
    const lines = [...links].map(([name, target]) => `${name}=${describe(module, target)}`)
    const text = [unit.text, ...lines.sort()].join('\n')
    const linked = { digest: shortDigest(text), targets: [...links.values()] }
    this.#linked.set(unit, linked)
    return linked
  }

  /** Where an import or a re-export of a module leads. */
  follow(from: Module, { specifier, name }: Link, member?: string): Target {
    const found = this.sources.resolve(from, specifier)
    if (found instanceof Module) {
      const wanted = name === '*' ? member : name
      const target = wanted === undefined ? undefined : this.#exported(found, wanted)
      return target ?? this.#everything(found)
    }
    if (!('kind' in found)) return { ...NOTHING, files: [found] }
    const outside = [`${specifier}#${name === '*' ? (member ?? name) : name}`]
    if (found.kind === 'none') return { ...NOTHING, outside }
    if (found.kind === 'missing') throw importMissing(from, specifier)
    return { ...NOTHING, outside, packages: [found] }
  }

  #exported(module: Module, name: string, seen = new Set<Module>()): Target | undefined {
    if (seen.has(module)) return undefined
    seen.add(module)
    const target = this.#ownExport(module, name) ?? this.#starExport(module, name, seen)
    return target && { ...target, modules: [module, ...target.modules] }
  }

  #ownExport(module: Module, name: string): Target | undefined {
    const to = module.exports.get(name)
    if (to === undefined) return undefined
    const link = typeof to === 'string' ? module.imports.get(to) : to
    if (link !== undefined) return this.follow(module, link)
    const unit = module.declarations.get(to as string)
    return unit && { ...NOTHING, units: [unit] }
  }

  /** What `export * from` passes on: of a package, that cannot be told, so it is a last resort. */
  #starExport(module: Module, name: string, seen: Set<Module>): Target | undefined {
    if (name === 'default') return undefined
    let last: Target | undefined
    for (const specifier of module.stars) {
      const found = this.sources.resolve(module, specifier)
      if (found instanceof Module) {
        const target = this.#exported(found, name, seen)
        if (target !== undefined) return target
      } else last ??= this.follow(module, { specifier, name })
    }
    return last
  }

  /** All that a module exports; all of it, if it is CommonJS. */
  #everything(module: Module, seen = new Set<Module>()): Target {
    if (seen.has(module)) return NOTHING
    seen.add(module)
    if (!module.isModule) return { ...NOTHING, units: [...module.units], modules: [module] }
    const named = [...module.exports.keys()].flatMap((name) => this.#exported(module, name) ?? [])
    const starred = module.stars.map((specifier) => {
      const found = this.sources.resolve(module, specifier)
      if (found instanceof Module) return this.#everything(found, seen)
      return this.follow(module, { specifier, name: '*' })
    })
    return union([{ ...NOTHING, modules: [module] }, ...named, ...starred])
  }
}

function union(targets: readonly Target[]): Target {
  return {
    units: targets.flatMap(({ units }) => units),
    files: targets.flatMap(({ files }) => files),
    packages: targets.flatMap(({ packages }) => packages),
    outside: targets.flatMap(({ outside }) => outside),
    modules: targets.flatMap(({ modules }) => modules),
  }
}

/** Where a name leads, with paths from the module that uses it, so that a checkout can move. */
function describe({ path }: Module, { units, files, outside }: Target): string {
  const from = dirname(path)
  const places = [
    ...units.map(({ module, name }) => `${relative(from, module.path)}#${name}`),
    ...files.map((file) => relative(from, file.path)),
    ...outside,
  ]
  return places.sort().join(' ')
}

/** A digest for the parts of a key: short enough to read, long enough to be unique. */
export function shortDigest(text: string): string {
  return hash('sha256', text).slice(0, 32)
}

function importMissing({ path }: Module, specifier: string): VmStatesError {
  return new VmStatesError(
    'SETUP_IMPORT',
    `${path} imports '${specifier}', which cannot be found`,
    {
      hint: 'A setup reaches it, so that its content counts. Keys know relative paths, packages, "imports" of package.json and "paths" of tsconfig.json, not the aliases of Vite.',
    },
  )
}
