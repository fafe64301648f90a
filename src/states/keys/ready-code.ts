import { VmStatesError } from '../../params/errors.js'
import { DETAILS, type MachineDefinition } from '../definitions/types.js'
import { withLocalFunctions } from './source/captures.js'
import { currentLinker } from './source/current-linker.js'
import { findReady } from './source/find-ready.js'
import { shortDigest } from './source/links.js'
import { Module } from './source/module.js'
import { type ReachedCode, reach } from './source/reach.js'

/**
 * What keys hold of the code of a machine's `ready`, found as that of setups is. Where no call of
 * `machine()` can be found, all of the file counts.
 *
 * @throws VmStatesError `SETUP_SOURCE` if the machine was defined by code that is in no file,
 *   `SETUP_CAPTURE` if its `ready` uses a variable around it, `SETUP_IMPORT` if it reaches an import
 *   that leads nowhere
 */
export async function readyCode(machine: MachineDefinition): Promise<ReachedCode> {
  const { origin } = machine[DETAILS]
  if (origin === undefined) {
    const text = `the machine ${machine.name}, whose ready is a function, is defined by code that is in no file`
    const hint = 'Define machines in a module: keys of states are made of its text.'
    throw new VmStatesError('SETUP_SOURCE', text, { hint })
  }
  const linker = await currentLinker()
  const module = linker.sources.origin(origin)
  if (!(module instanceof Module)) {
    return { code: { '(file)': shortDigest(module.text) }, packages: {} }
  }
  const found = findReady(module, machine.name)
  const units = found.map((node) => {
    const { unit, captures } = withLocalFunctions(module, node, '(ready)')
    const [first] = captures
    if (first === undefined) return unit
    const names = [...new Set(captures.map(({ name }) => `"${name}"`))].join(', ')
    throw new VmStatesError(
      'SETUP_CAPTURE',
      `the ready of ${machine.name} uses ${names}, which has another value each time: ` +
        `${module.path}:${first.line}`,
      { hint: 'Write it where nothing is around it: at the top level of a module.' },
    )
  })
  return reach(module, units.length === 0 ? [...module.units] : units, linker)
}
