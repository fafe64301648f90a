import { VmStatesError } from '../../params/errors.js'
import { nearest } from '../../params/nearest.js'

/**
 * The error for a name that nothing has, with the one that was probably meant.
 *
 * @param message - what is wrong
 * @param names - those that there are
 * @param where - what has them, to begin a sentence
 */
export function unknownName(
  message: string,
  name: string,
  names: readonly string[],
  where: string,
): VmStatesError {
  const guess = nearest(name, names)
  const known = names.length === 0 ? `${where} defines none.` : `${where} has ${names.join(', ')}.`
  return new VmStatesError('STATE_UNKNOWN', message, {
    hint: guess === undefined ? known : `Did you mean ${guess}? ${known}`,
  })
}
