import { VmStatesError } from '../../params/errors.js'
import { describeState } from '../../states/catalogue/describe-state.js'
import { exportOverlay } from '../../states/catalogue/export-overlay.js'
import { resolvePolicy } from '../../states/policies/policy.js'
import type { Context, Report } from '../report.js'
import type { PolicyFlags } from '../targets/policy-options.js'
import type { DefinedState } from '../targets/target.js'
import { viewState } from './state-view.js'
import { withState } from './with-state.js'

/**
 * Leaves an overlay on a state of the configuration: a qcow2 image that any tool can start from. A
 * state that is missing is built, unless the configuration or a policy says otherwise.
 */
export async function getDefined(
  target: DefinedState,
  { output, onExists, onMissing }: PolicyFlags & { output?: string },
  command: Context,
): Promise<Report> {
  const policy = resolvePolicy('get', { exists: onExists, missing: onMissing })
  if (target.booted) throw bootIsLive(target)
  if (output === undefined && target.state !== undefined) throw outputMissing(target)
  // A policy for missing states, where one is given, is for states that are not to be built.
  const build = (config: { build: 'missing' | 'never' }) =>
    onMissing === undefined ? config.build : 'never'
  return await withState(target, { build }, command, async ({ name, state, context }) => {
    const { status } = viewState(await describeState(state, context))
    const exists = status !== 'not built'
    if (exists && policy.exists === 'abort') {
      throw new VmStatesError('STATE_EXISTS', `${name} is built already`)
    }
    if ((exists ? policy.exists : policy.missing) === 'ignore') {
      return { data: { outcome: 'ignored', state: name }, text: `${name}: nothing done` }
    }
    const { signal, progress } = command
    progress.step(`getting ${name}`)
    const files = await exportOverlay(state, String(output), context, { signal })
    return {
      data: { outcome: 'restored', state: name, files },
      text: files.map((file) => `${file} stands on ${name}`).join('\n'),
    }
  })
}

function outputMissing({ machine, state }: DefinedState): VmStatesError {
  const name = `${machine}/${state}`
  return new VmStatesError('USAGE', `where is the overlay of ${name} to go?`, {
    hint: `states get ${name} --output FILE.qcow2`,
  })
}

function bootIsLive({ machine, state }: DefinedState): VmStatesError {
  return new VmStatesError(
    'STATE_IS_LIVE',
    `${machine}/${state} booted is a live state: an overlay would lack its RAM`,
    { hint: `Without its RAM: states get ${machine}/${state} --output FILE.qcow2` },
  )
}
