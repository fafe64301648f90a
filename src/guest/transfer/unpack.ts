import { posix } from 'node:path'
import type { Headers } from 'tar-fs'

/** What is unpacked: all else has no place on the host. */
const TYPES = ['file', 'link', 'symlink', 'directory']

/** A directory that the owner may not write to cannot be filled, or moved: modes are given at the end. */
const WRITABLE = 0o700

/** Unpacks an archive that a guest has made, which may hold anything. */
export class Unpacker {
  readonly #directory: string
  readonly #top: string
  readonly #names = new Set<string>()
  readonly #modes = new Map<string, number>()
  #refusal: string | undefined

  /**
   * @param directory - where it goes
   * @param top - the name that what is in it gets there
   */
  constructor(directory: string, top: string) {
    this.#directory = directory
    this.#top = top
  }

  /** What is in it that cannot be unpacked, and was not, nor what came after it. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** Paths of directories in what was unpacked, the innermost first, with the modes that they are to have. */
  get modes(): [path: string, mode: number][] {
    return [...this.#modes].reverse()
  }

  /** Takes the archive. Links may lead anywhere in the guest; nothing is written through them. */
  async stream() {
    const { default: tar } = await import('tar-fs')
    return tar.extract(this.#directory, {
      ...{ chown: false, validateSymlinks: false, umask: 0, dmode: WRITABLE },
      map: (header) => {
        const path = partsOf(header.name).slice(1)
        this.#refusal ??= this.#reasonAgainst(header, path.join('/'))
        if (header.type === 'directory') this.#modes.set(path.join('/'), header.mode & 0o777)
        const name = [this.#top, ...path].join('/')
        // A symbolic link stays as it is; a hard one leads to a thing of the archive.
        if (header.type !== 'link') return { ...header, name }
        const linkname = [this.#top, ...partsOf(linkOf(header)).slice(1)].join('/')
        return { ...header, name, linkname }
      },
      ignore: () => this.#refusal !== undefined,
    })
  }

  /** tar-fs would throw where nobody can catch it, or follow a link by whose name a directory comes after it. */
  #reasonAgainst(header: Headers, path: string): string | undefined {
    const type = String(header.type)
    const shown = path || 'it'
    if (!TYPES.includes(type)) return `${shown} is a ${type}, which cannot be copied`
    if (path === '' && type === 'symlink') return 'it is a link'
    if (`${header.name}${linkOf(header)}`.includes('\0')) return `${shown} has a NUL in its name`
    if (type.endsWith('link') && linkOf(header) === '') return `${shown} is a link to nothing`
    if (this.#names.has(path)) return `${shown} is there twice`
    this.#names.add(path)
    return undefined
  }
}

/** What a link leads to, of which the types of tar-fs do not tell. */
function linkOf(header: object): string {
  return 'linkname' in header && header.linkname !== null ? String(header.linkname) : ''
}

/** A path in the archive, of which none leads out. */
function partsOf(path: string): string[] {
  return posix.join('/', path).split('/').filter(Boolean)
}
