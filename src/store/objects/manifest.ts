import { parseFields } from '../files/parse-json.js'

/** The version of the manifest that this package writes. */
export const MANIFEST_FORMAT = 1

/** The name of the manifest in its object's directory. */
export const MANIFEST_FILE = 'manifest.json'

/** A file of an object. */
export interface ObjectFile {
  /** The path inside the object's directory. */
  name: string
  /** Bytes. */
  size: number
}

/** What an object is. Written once, with the object, and never changed. */
export interface Manifest {
  format: number
  id: string
  /** The key that it was made for. */
  key: string
  /** ISO 8601. */
  createdAt: string
  /** The objects that its files stand on. */
  parents: readonly string[]
  files: readonly ObjectFile[]
  /** JSON of whoever made the object; the store passes it on unread. */
  meta: unknown
}

/** An object of the store: complete, and never changed. */
export interface StoredObject {
  readonly id: string
  /** Absolute path of the directory of its files. */
  readonly directory: string
  readonly manifest: Manifest
}

function isObjectFile(value: unknown): value is ObjectFile {
  if (typeof value !== 'object' || value === null) return false
  const { name, size } = value as Record<string, unknown>
  return typeof name === 'string' && typeof size === 'number'
}

/**
 * Parses a manifest, by hand since quick commands read many of them.
 *
 * @returns undefined if the text is not a manifest that this package understands
 */
export function parseManifest(text: string): Manifest | undefined {
  const { format, id, key, createdAt, parents, files, meta } = parseFields(text)
  if (format !== MANIFEST_FORMAT || typeof id !== 'string' || typeof key !== 'string') {
    return undefined
  }
  if (typeof createdAt !== 'string' || !Array.isArray(parents) || !Array.isArray(files)) {
    return undefined
  }
  if (!parents.every((parent) => typeof parent === 'string')) return undefined
  if (!files.every(isObjectFile)) return undefined
  return { format, id, key, createdAt, parents, files, meta }
}
