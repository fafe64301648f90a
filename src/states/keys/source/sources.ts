import { realpathSync } from 'node:fs'
import type { parseSync } from 'oxc-parser'
import { readText } from '../../definitions/source-text.js'
import type { Origin } from '../../definitions/types.js'
import { Module } from './module.js'
import { type Resolved, Resolver } from './resolver.js'

/** A file that is no code that can be parsed: it counts by its text. */
export interface OpaqueFile {
  readonly path: string
  readonly text: string
}

/** Modules by path, as long as their text is the same. */
const parsed = new Map<string, Module | OpaqueFile>()

/** The source files of a project. What was seen on disk holds as long as this lives. */
export class Sources {
  readonly #parse: typeof parseSync
  readonly #resolver = new Resolver()
  readonly #files = new Map<string, Module | OpaqueFile>()
  readonly #origins = new Map<string, Module | OpaqueFile>()

  constructor(parse: typeof parseSync) {
    this.#parse = parse
  }

  /** The file of a definition, with the text that it had when it was loaded. */
  origin({ file, text }: Origin): Module | OpaqueFile {
    const known = this.#origins.get(file)
    if (known?.text === text) return known
    const path = realPath(file)
    const module = this.#understand(path, text)
    this.#origins.set(file, module)
    this.#files.set(path, module)
    return module
  }

  /** Where an import leads. */
  resolve(
    importer: Module,
    specifier: string,
  ): Exclude<Resolved, { kind: 'file' }> | Module | OpaqueFile {
    const resolved = this.#resolver.resolve(importer.path, specifier)
    if (resolved.kind !== 'file') return resolved
    const known = this.#files.get(resolved.path)
    if (known !== undefined) return known
    let text: string
    try {
      text = readText(resolved.path)
    } catch {
      return { kind: 'missing' }
    }
    const module = this.#understand(resolved.path, text)
    this.#files.set(resolved.path, module)
    return module
  }

  #understand(path: string, text: string): Module | OpaqueFile {
    const known = parsed.get(path)
    if (known?.text === text) return known
    const file = this.#module(path, text) ?? { path, text }
    parsed.set(path, file)
    return file
  }

  /** Nothing for what is no module: JSON, CommonJS, or syntax that the parser does not know. */
  #module(path: string, text: string): Module | undefined {
    if (!/\.[cm]?[jt]sx?$/.test(path)) return undefined
    const result = this.#parse(path, text, { preserveParens: false })
    return result.errors.length > 0 ? undefined : new Module(path, text, result)
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
