import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, rename, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../../qemu/file-error.js'
import { copyImage } from '../copy-image.js'

/** Where Linux has a filesystem in memory, which is never written back to a disk. */
const TMPFS = '/dev/shm'
const TMPFS_MAGIC = 0x01021994

/** A guest whose RAM finds the filesystem full is killed: others may be growing in it too. */
const ROOM_FOR = 3

/** Bytes of RAM in memory that this process has made: files that are not filled yet, but may be. */
let bytesInMemory = 0

/**
 * The RAM of a machine that is to be captured: a file that nobody else has. In memory where there is
 * room, else in the machine's directory; where it is a copy that costs nothing, always there.
 */
export class OwnRam implements AsyncDisposable {
  /** Absolute path, for QEMU to open. */
  readonly path: string
  readonly #handle: FileHandle | undefined
  #inMemory: number

  private constructor(path: string, handle?: FileHandle, inMemory = 0) {
    this.path = path
    this.#handle = handle
    this.#inMemory = inMemory
  }

  /**
   * Makes RAM of zeros, or a copy of a state's.
   *
   * @param size - bytes
   * @param directory - of the machine
   * @param from - RAM to copy
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`, `IMAGE_MISSING`
   */
  static async create(size: number, directory: string, from?: string): Promise<OwnRam> {
    const onDisk = join(directory, 'ram')
    if (from !== undefined && (await cloned(from, onDisk))) return new OwnRam(onDisk)
    const isInMemory = await takeRoom(size)
    const handle = await (isInMemory ? openInMemory() : open(onDisk, 'wx+', 0o600)).catch(
      (error: unknown) => {
        if (isInMemory) bytesInMemory -= size
        throw fileError(error, onDisk)
      },
    )
    try {
      const path = isInMemory ? `/proc/${process.pid}/fd/${handle.fd}` : onDisk
      if (from === undefined) await handle.truncate(size)
      else await copyImage(from, path, 'all')
      if (isInMemory) return new OwnRam(path, handle, size)
      await handle.close()
      return new OwnRam(path)
    } catch (error) {
      if (isInMemory) bytesInMemory -= size
      await handle.close()
      throw fileError(error, from ?? onDisk)
    }
  }

  /**
   * Makes it a state's, once nobody writes to it any more.
   *
   * @param to - absolute path of a file that is not there yet
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`
   */
  async keep(to: string): Promise<void> {
    if (this.#handle !== undefined) return await copyImage(this.path, to, 'all')
    await rename(this.path, to).catch((error: unknown) => {
      throw fileError(error, to)
    })
  }

  /** Lets go of it. RAM in memory is there for as long as a QEMU has it. */
  async [Symbol.asyncDispose](): Promise<void> {
    bytesInMemory -= this.#inMemory
    this.#inMemory = 0
    await this.#handle?.close()
  }
}

/** A copy that shares its blocks with the original. @returns whether the filesystem can do that */
async function cloned(from: string, to: string): Promise<boolean> {
  const mode = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL
  return await copyFile(from, to, mode).then(
    () => true,
    () => false,
  )
}

/** A file that is gone with the last process that has it open: a crash leaves nothing behind. */
async function openInMemory(): Promise<FileHandle> {
  const path = join(TMPFS, `vm-states-${randomUUID()}`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

/** @returns whether there is room in memory; it is counted from then on */
async function takeRoom(size: number): Promise<boolean> {
  const found = await statfs(TMPFS).catch(() => undefined)
  if (found?.type !== TMPFS_MAGIC) return false
  if (found.bavail * found.bsize < size * ROOM_FOR + bytesInMemory) return false
  bytesInMemory += size
  return true
}
