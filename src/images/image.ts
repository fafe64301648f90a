import type { ImageInput } from '../params/image.js'
import type { SizeInput } from '../params/size.js'

/** How the format of an image is told. */
export interface ImageFormatOptions {
  /**
   * Needed for a raw image whose name does not end in `.raw`, `.img` or `.iso`. A qcow2 image is known by
   * its header.
   */
  format?: 'qcow2' | 'raw'
}

/** Where a machine's disk starts. Nothing is read, downloaded or built until a state needs it. */
export const image = {
  /**
   * A qcow2 or raw image of your own. It is used where it is, and never written to.
   *
   * @param path - absolute, or relative to the file that defines the states
   */
  file(path: string, options: ImageFormatOptions = {}): ImageInput {
    return { kind: 'file', path, ...options }
  },

  /**
   * An image that is downloaded once into the store, and used only if its checksum is right and its
   * header is harmless.
   *
   * @param url - `https://` or `http://`
   * @param options - the checksum of the file as it is downloaded, in hexadecimal digits
   */
  url(url: string, options: { sha256: string } & ImageFormatOptions): ImageInput {
    return { kind: 'url', url, ...options }
  },

  /**
   * An empty disk.
   *
   * @param size - bytes, or text such as `'1 GiB'`
   */
  blank(size: SizeInput): ImageInput {
    return { kind: 'blank', size }
  },

  /**
   * The built-in guest: a Linux kernel, busybox and the QEMU guest agent, built once per host from
   * packages of its Debian or Ubuntu. It answers within seconds of power-on, without KVM too.
   */
  tiny(): ImageInput {
    return { kind: 'tiny' }
  },
}
