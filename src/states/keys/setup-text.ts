import type { Program } from 'oxc-parser'
import { VmStatesError } from '../../params/errors.js'
import { DETAILS, type Origin, type State } from '../definitions/types.js'
import { canonicalText } from './canonical-text.js'
import { findSetups } from './find-setups.js'

/**
 * The text of a state's setup as its key sees it. It comes from the file on disk, found by method
 * and literal name, since loaders rewrite what `fn.toString()` gives. A setup that cannot be found
 * this way (states made in a loop, a function passed by name) is stood for by its whole file: that
 * makes a new key more often than needed, never too seldom within the file.
 *
 * @throws VmStatesError `SETUP_SOURCE` if the state was defined by code that is in no file
 */
export async function setupText(state: State): Promise<string> {
  const { origin } = state[DETAILS]
  if (origin === undefined) {
    throw new VmStatesError(
      'SETUP_SOURCE',
      `${state.machine.name}/${state.name} is defined by code that is in no file`,
      { hint: 'Define states in a module: their keys are made of its text.' },
    )
  }
  const program = await parseOrigin(origin)
  if (program === undefined) return origin.text
  const method = state.liveness === 'live' ? 'live' : 'state'
  const setups = findSetups(program, method, state.name)
  const texts = setups.map((setup) => setup && canonicalText(setup))
  return texts.length === 0 || texts.includes(undefined) ? canonicalText(program) : texts.join('\n')
}

const parsed = new Map<string, { text: string; program: Program | undefined }>()

/** The syntax tree of a file; nothing where the parser does not know the syntax. */
async function parseOrigin({ file, text }: Origin): Promise<Program | undefined> {
  const known = parsed.get(file)
  if (known?.text === text) return known.program
  const { parseSync } = await import('oxc-parser')
  const { program, errors } = parseSync(file, text)
  const result = errors.length === 0 ? program : undefined
  parsed.set(file, { text, program: result })
  return result
}
