import { VmStatesError } from '../../params/errors.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import { withLocalFunctions } from './source/captures.js'
import { currentLinker } from './source/current-linker.js'
import { findSetups } from './source/find-setups.js'
import { shortDigest } from './source/links.js'
import { Module } from './source/module.js'
import { type ReachedCode, reach } from './source/reach.js'
import type { Unit } from './source/unit.js'

/**
 * What the key of a state holds of its setup's code. It comes from the files on disk, since loaders
 * rewrite what `fn.toString()` gives: the setup is found by its call, and followed to everything that
 * it reaches. Where no call can be found (`const { state } = debian`), all of the file counts.
 *
 * @throws VmStatesError `SETUP_SOURCE` if the state was defined by code that is in no file,
 *   `SETUP_CAPTURE` if the setup uses a variable around it that `inputs.values` does not name,
 *   `SETUP_IMPORT` if it reaches an import that leads nowhere
 */
export async function setupCode(state: AnyState): Promise<ReachedCode> {
  const { origin, owner, step, options } = state[DETAILS]
  const name = nameOf(state)
  if (origin === undefined) {
    throw new VmStatesError('SETUP_SOURCE', `${name} is defined by code that is in no file`, {
      hint: 'Define states in a module: their keys are made of its text.',
    })
  }
  const linker = await currentLinker()
  const module = linker.sources.origin(origin)
  if (!(module instanceof Module)) {
    return { code: { '(file)': shortDigest(module.text) }, packages: {} }
  }
  const values = Object.keys(options.inputs.values)
  const setups = findSetups(module, {
    method: state.liveness === 'live' ? 'live' : 'state',
    name: state.name,
    owner: owner.name,
    parent: step?.parent.name ?? 'root',
    values,
  })
  const nodes = setups.flatMap(({ node }) => node.arguments[1] ?? node.arguments[0] ?? [])
  const reached = nodes.map((node) => setupUnit(module, node, { name, values }))
  const units = reached.length === 0 ? [...module.units] : reached
  return reach(module, units, linker)
}

function setupUnit(
  module: Module,
  node: Parameters<typeof withLocalFunctions>[1],
  state: { name: string; values: readonly string[] },
): Unit<Module> {
  const { unit, captures } = withLocalFunctions(module, node, '(setup)')
  const undeclared = captures.filter(({ name }) => !state.values.includes(name))
  const [first] = undeclared
  if (first === undefined) return unit
  const names = [...new Set(undeclared.map(({ name }) => name))]
  throw new VmStatesError(
    'SETUP_CAPTURE',
    `the setup of ${state.name} uses ${names.map((name) => `"${name}"`).join(', ')}, ` +
      `which has another value each time: ${module.path}:${first.line}`,
    { hint: captureHint(names) },
  )
}

/** What to write, with the names that can be written there. */
function captureHint(names: readonly string[]): string {
  if (names.includes('this'))
    return 'Keep what the setup needs of "this" in a variable, and declare that.'
  return `Declare it as an input, with a value that stands for it: { inputs: { values: { ${names.join(', ')} } } }`
}
