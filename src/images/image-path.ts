import { resolve } from 'node:path'
import { VmStatesError } from '../params/errors.js'
import { showValue } from '../params/parse.js'

/**
 * Where an image of a given name is: a qcow2 image has its format as suffix, a raw one has none.
 * After avocado-i2n's `get_image_path`.
 *
 * @param name - the image's name, possibly with directories, or an absolute path without suffix
 * @param directory - where relative names start
 * @returns an absolute path
 * @throws VmStatesError `INVALID_VALUE` if the format is neither `qcow2` nor `raw`
 */
export function imagePath(name: string, format: 'qcow2' | 'raw', directory: string): string {
  if (format !== 'qcow2' && format !== 'raw') {
    throw new VmStatesError(
      'INVALID_VALUE',
      `the format of ${name} is ${showValue(format)}: a format is "qcow2" or "raw"`,
    )
  }
  return resolve(directory, format === 'raw' ? name : `${name}.qcow2`)
}
