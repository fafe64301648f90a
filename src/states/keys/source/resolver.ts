import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { NapiResolveOptions, ResolverFactory } from 'oxc-resolver'
import { parseFields } from '../../../store/files/parse-json.js'
import { readText } from '../../definitions/source-text.js'

/** Where an import leads. */
export type Resolved =
  /** Code of the project, or of a package that is linked to it. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string; readonly version: string }
  /** What Node, or this package, brings along. */
  | { readonly kind: 'none' }
  | { readonly kind: 'missing' }

const THIS_PACKAGE = /^vitest-vm-states(\/|$)/

/** In the order of Vite and jiti. */
const OPTIONS: NapiResolveOptions = {
  extensions: ['.mjs', '.js', '.mts', '.ts', '.jsx', '.tsx', '.cjs', '.cts', '.json'],
  extensionAlias: {
    '.js': ['.js', '.ts', '.tsx'],
    '.jsx': ['.jsx', '.tsx'],
    '.mjs': ['.mjs', '.mts'],
    '.cjs': ['.cjs', '.cts'],
  },
  conditionNames: ['node', 'import', 'module', 'default'],
  mainFields: ['module', 'main'],
  builtinModules: true,
}

let factories: { withPaths: ResolverFactory; without: ResolverFactory } | undefined

/** Loaded when the first import is followed: many setups reach none. */
function load(): NonNullable<typeof factories> {
  const { ResolverFactory } = createRequire(import.meta.url)(
    'oxc-resolver',
  ) as typeof import('oxc-resolver')
  const withPaths = new ResolverFactory({ ...OPTIONS, tsconfig: 'auto' })
  return { withPaths, without: withPaths.cloneWithOptions(OPTIONS) }
}

/**
 * Tells where imports lead, as Vitest and the loader of the command line would have it. What it
 * found holds as long as it lives.
 */
export class Resolver {
  readonly #known = new Map<string, Resolved>()
  #begun = false

  /**
   * @param importer - absolute path of the file that imports
   * @param written - what it imports, as it is written
   */
  resolve(importer: string, written: string): Resolved {
    // Vite's `?raw` and its like are no part of the path.
    const specifier = written.replace(/\?.*$/, '')
    if (THIS_PACKAGE.test(specifier) || specifier.startsWith('node:')) return { kind: 'none' }
    const key = `${dirname(importer)}\0${specifier}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const resolved = this.#look(importer, specifier)
    this.#known.set(key, resolved)
    return resolved
  }

  #look(importer: string, specifier: string): Resolved {
    factories ??= load()
    const { withPaths, without } = factories
    if (!this.#begun) withPaths.clearCache()
    this.#begun = true
    const first = withPaths.resolveFileSync(importer, specifier)
    // A tsconfig.json that cannot be read is no reason to find nothing.
    const found =
      first.path === undefined && first.builtin === undefined
        ? without.sync(dirname(importer), specifier)
        : first
    if (found.builtin !== undefined) return { kind: 'none' }
    if (found.path === undefined) return { kind: 'missing' }
    return isInstalled(found.path)
      ? packageOf(found.packageJsonPath ?? found.path, found.path)
      : { kind: 'file', path: found.path }
  }
}

/** By the real path, so that a package which is linked into `node_modules` counts as code. */
function isInstalled(path: string): boolean {
  return path.includes('/node_modules/')
}

/** The nearest package.json that names a package: some only say `"type"`. */
function packageOf(from: string, path: string): Resolved {
  for (let at = dirname(from); at !== dirname(at); at = dirname(at)) {
    const { name, version } = readPackage(join(at, 'package.json'))
    if (typeof name === 'string' && typeof version === 'string') {
      return { kind: 'package', name, version }
    }
  }
  return { kind: 'file', path }
}

function readPackage(file: string): Record<string, unknown> {
  try {
    return parseFields(readText(file))
  } catch {
    return {}
  }
}
