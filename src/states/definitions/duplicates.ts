import { VmStatesError } from '../../params/errors.js'
import type { Origin } from './types.js'

/**
 * The error for a name that was given twice, with both places.
 *
 * @param what - what has the name: `state "debian/nginx"`
 * @param name - the name as it is written in the files
 */
export function duplicateName(
  what: string,
  name: string,
  first: Origin | undefined,
  second: Origin | undefined,
): VmStatesError {
  const places = new Set([showPlaces(first, name), showPlaces(second, name)])
  return new VmStatesError(
    'DUPLICATE_NAME',
    `${what} is defined twice: ${[...places].join(' and ')}`,
    { hint: 'Give one of them another name, or import the one that exists.' },
  )
}

/** A file, with the lines on which the name is written as a literal. */
function showPlaces(origin: Origin | undefined, name: string): string {
  if (origin === undefined) return 'in code that is in no file'
  const literals = [`'${name}'`, `"${name}"`, `\`${name}\``]
  const places = origin.text
    .split('\n')
    .flatMap((line, index) =>
      literals.some((literal) => line.includes(literal)) ? [`${origin.file}:${index + 1}`] : [],
    )
  return places.length === 0 ? origin.file : places.join(' and ')
}
