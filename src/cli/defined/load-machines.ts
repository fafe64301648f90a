import { VmStatesError } from '../../params/errors.js'
import { type LoadedConfig, loadConfig } from '../../params/load-config.js'
import { loadModule } from '../../params/load-module.js'
import { collectDefinitions } from '../../states/definitions/collect.js'
import { type AnyState, DETAILS, type Definition } from '../../states/definitions/types.js'
import { unknownName } from './unknown-name.js'

const NO_CONFIG = 'There is no states.config.ts here or above'

/** The configuration in force, and the machines and environments that its files define. */
export interface Definitions {
  config: LoadedConfig
  byName: ReadonlyMap<string, Definition>
}

/**
 * Loads the configuration and the files of states that it names.
 *
 * @throws VmStatesError `INVALID_CONFIG` with the file that cannot be loaded
 */
export async function loadDefinitions(): Promise<Definitions> {
  const config = await loadConfig()
  const modules: Record<string, unknown>[] = []
  // One after the other: a file that others import must not be loaded twice.
  for (const file of config.states) modules.push(await loadStatesFile(file))
  return { config, byName: collectDefinitions(modules) }
}

async function loadStatesFile(file: string): Promise<Record<string, unknown>> {
  try {
    return await loadModule(file)
  } catch (cause) {
    if (cause instanceof VmStatesError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    const [why = reason] = reason.split('\nRequire stack:')
    throw new VmStatesError('INVALID_CONFIG', `${file} cannot be loaded: ${why}`, { cause })
  }
}

/**
 * @param name - as a user wrote it
 * @param message - what is wrong where there is none
 * @throws VmStatesError `STATE_UNKNOWN` with the name that was probably meant
 */
export function findDefinition(
  { config, byName }: Definitions,
  name: string,
  message = `${name} is no image, machine or environment`,
): Definition {
  const definition = byName.get(name)
  if (definition !== undefined) return definition
  const where = config.file ?? `${NO_CONFIG}; the configuration`
  throw unknownName(message, name, [...byName.keys()], where)
}

/**
 * For commands that would have nothing to do without them, and would seem to have done it.
 *
 * @throws VmStatesError `STATE_UNKNOWN` where the configuration defines no state
 */
export function requireDefinitions({ config, byName }: Definitions): void {
  if (byName.size > 0) return
  throw new VmStatesError('STATE_UNKNOWN', 'no states are defined', {
    hint: `${config.file === undefined ? NO_CONFIG : `${config.file} names no file that exports any`}. It takes: export default defineConfig({ states: 'vm/states.ts' })`,
  })
}

/**
 * @param name - as a user wrote it
 * @throws VmStatesError `STATE_UNKNOWN` with the name that was probably meant
 */
export function findState(definition: Definition, name: string): AnyState {
  const { kind, states } = definition[DETAILS]
  const state = states.get(name)
  if (state !== undefined) return state
  const message = `the ${kind} ${definition.name} has no state ${name}`
  throw unknownName(message, name, [...states.keys()], `The ${kind} ${definition.name}`)
}
